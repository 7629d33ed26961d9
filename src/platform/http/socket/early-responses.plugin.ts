import type { FastifyReply } from 'fastify';
import fp from 'fastify-plugin';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { drainRequest } from './drain-request.js';
import { stopWaiting } from './expect-continue.plugin.js';

type Payload = string | Buffer | Readable | null | undefined;

/**
 * Makes sure that a client receives a response that is sent before its request has fully arrived, such as 413: reads and
 * discards the rest of the request, and ends the response only afterwards.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-9.6
 */
export const earlyResponses = fp(
  (fastify, _, done) => {
    fastify.addHook('onSend', ({ raw }, reply, payload: Payload, next) => {
      if (raw.complete) return next(null, payload);
      // After this response, a client that waits for `100 Continue` may send its body or its next request; both are valid.
      if (stopWaiting(raw)) reply.raw.shouldKeepAlive = false;
      // Fastify sets it on some errors.
      if (!willClose(raw, reply.raw)) reply.removeHeader('connection');
      // A small body is often in the same packet as its headers, which are parsed first.
      process.nextTick(() => {
        if (raw.complete) return next(null, payload);
        if (payload && raw.method !== 'HEAD') return next(null, endAfterRequest(payload, raw, reply));
        // Without a body, the whole response has to wait.
        drainRequest(raw, reply.raw, () => next(null, payload));
      });
    });
    done();
  },
  // It replaces the payload by a stream, which the hooks before it could not read.
  {
    name: 'the-eye-early-responses',
    dependencies: [
      'the-eye-json-indent',
      'the-eye-slow-readers',
      'the-eye-expect-continue',
      'the-eye-cut-off-streams',
    ],
  },
);

/** Whether the connection closes after the response: the client or the server asked for it, or the client wants an upgrade. */
function willClose(request: IncomingMessage, response: ServerResponse): boolean {
  return (
    !response.shouldKeepAlive ||
    request.headers.upgrade !== undefined ||
    // While the server stops, Fastify sets it on the raw response.
    response.getHeader('connection') === 'close'
  );
}

/** A body that is sent at once but ends only when its request has been drained. */
function endAfterRequest(
  payload: NonNullable<Payload>,
  request: IncomingMessage,
  reply: FastifyReply,
): Readable {
  const drained = new Promise<void>((resolve) => drainRequest(request, reply.raw, resolve));
  const body = new PassThrough({ flush: (done) => void drained.then(() => done()) });
  if (payload instanceof Readable) return pipeline(payload, body, () => undefined);
  reply.header('content-length', Buffer.byteLength(payload));
  return body.end(payload);
}
