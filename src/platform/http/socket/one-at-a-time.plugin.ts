import fp from 'fastify-plugin';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { readOn, stopReading } from './connection-reading.js';

/** The requests of a connection. */
interface Pipeline {
  /** The request that is in progress, or has just ended while others wait. */
  current: IncomingMessage | undefined;
  /** Start the others, in their order. */
  readonly waiting: (() => void)[];
}

const pipelines = new WeakMap<Socket, Pipeline>();

/**
 * Serves one request of a connection after the other. Node starts all that a client pipelines as soon as they are parsed, so
 * that one connection could ask thousands of questions at once, whose responses nobody reads. A connection whose requests
 * wait is not read, so it holds at most one chunk of them.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
 */
export const oneAtATime = fp(
  (fastify, _, done) => {
    const { server } = fastify;
    // Before Fastify sees them: a chunk may hold two thousand requests, and each that waits then costs only its parsing.
    for (const serve of server.listeners('request') as RequestListener[]) {
      server.off('request', serve);
      server.on('request', (request, response) => inTurn(request, response, () => serve(request, response)));
    }
    // Where `localhost` has two addresses, Fastify makes a further server for the second one later.
    fastify.addHook('onRequest', ({ raw: request }, { raw: response }, next) =>
      inTurn(request, response, next),
    );
    done();
  },
  { name: 'the-eye-one-at-a-time' },
);

/** Starts a request once those before it on its connection have ended; at once if it has its turn already. */
function inTurn(request: IncomingMessage, response: ServerResponse, start: () => void): void {
  const { socket } = request;
  const pipeline = pipelineOf(socket);
  const { current, waiting } = pipeline;
  if (current === request) start();
  else if (current === undefined) begin();
  else {
    stopReading(socket, pipeline);
    waiting.push(begin);
  }

  function begin(): void {
    pipeline.current = request;
    response.once('close', end);
    start();
  }

  function end(): void {
    if (waiting.length === 0) pipeline.current = undefined;
    // Other connections get their turn in between.
    else if (!socket.destroyed) setImmediate(beginNext);
  }

  function beginNext(): void {
    const next = waiting.shift();
    if (waiting.length === 0) readOn(socket, pipeline);
    next?.();
  }
}

function pipelineOf(socket: Socket): Pipeline {
  let pipeline = pipelines.get(socket);
  if (!pipeline) pipelines.set(socket, (pipeline = { current: undefined, waiting: [] }));
  return pipeline;
}
