import fp from 'fastify-plugin';
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Requests whose clients wait for `100 Continue` before they send the body. */
const waiting = new WeakSet<IncomingMessage>();

/**
 * Sends `100 Continue` when a body begins to be read. So a request that its headers already decide, such as one with a wrong
 * key or too large a body, gets its final response instead, and its body is not sent.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
 */
export const expectContinue = fp(
  (fastify, _, done) => {
    fastify.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      waiting.add(request);
      // Node calls it when the first reader asks for data.
      request._read = (size) => {
        Reflect.deleteProperty(request, '_read');
        if (waiting.delete(request)) response.writeContinue();
        request._read(size);
      };
      fastify.server.emit('request', request, response);
    });
    done();
  },
  { name: 'the-eye-expect-continue' },
);

/** Whether a client still waits for `100 Continue`. It no longer gets it, and may send the body or not. */
export function stopWaiting(request: IncomingMessage): boolean {
  return waiting.delete(request);
}
