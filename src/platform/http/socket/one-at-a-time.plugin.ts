import fp from 'fastify-plugin';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** The requests of a connection. */
interface Pipeline {
  /** Whether one of them is in progress. */
  isBusy: boolean;
  /** Start the others, in their order. */
  readonly waiting: (() => void)[];
}

/**
 * Serves one request of a connection after the other. Node starts all that a client pipelines as soon as they are parsed, so
 * that one connection could ask thousands of questions at once, whose responses nobody reads. A connection whose requests
 * wait is not read, so it holds at most one chunk of them.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.3.2
 */
export const oneAtATime = fp(
  (fastify, _, done) => {
    const pipelines = new WeakMap<Socket, Pipeline>();

    function pipelineOf(socket: Socket): Pipeline {
      let pipeline = pipelines.get(socket);
      if (!pipeline) pipelines.set(socket, (pipeline = { isBusy: false, waiting: [] }));
      return pipeline;
    }

    const { server } = fastify;
    // A request that waits costs only what Node has parsed: a connection's chunk may hold two thousand.
    for (const serve of server.listeners('request') as RequestListener[]) {
      server.off('request', serve);
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        const { socket } = request;
        const pipeline = pipelineOf(socket);
        const { waiting } = pipeline;
        const start = (): void => {
          response.once('close', end);
          serve(request, response);
        };
        if (pipeline.isBusy) {
          stopReading(socket);
          waiting.push(start);
        } else {
          pipeline.isBusy = true;
          start();
        }

        function end(): void {
          if (waiting.length === 0) pipeline.isBusy = false;
          // Other connections get their turn in between.
          else if (!socket.destroyed) setImmediate(startNext);
        }

        function startNext(): void {
          const startWaiting = waiting.shift();
          if (waiting.length === 0) readOn(socket);
          startWaiting?.();
        }
      });
    }
    done();
  },
  { name: 'the-eye-one-at-a-time' },
);

/** Node resumes the connection after each request that it has parsed, whatever others do. */
function stopReading(socket: Socket): void {
  socket.resume = () => socket;
  socket.pause();
}

function readOn(socket: Socket): void {
  Reflect.deleteProperty(socket, 'resume');
  socket.resume();
}
