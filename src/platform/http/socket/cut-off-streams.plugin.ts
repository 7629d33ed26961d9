import fp from 'fastify-plugin';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';

/**
 * Makes sure that a client notices when a streamed response ends before it is complete. Chunked coding has a last chunk for
 * this. HTTP/1.0 does not have it: the end of the connection is the end of the response, so a failed one resets the connection.
 * Also spares a HEAD request its stream, which Fastify would read to its end.
 */
export const cutOffStreams = fp(
  (fastify, _, done) => {
    fastify.addHook('onSend', ({ raw }, reply, payload, next) => {
      if (!(payload instanceof Readable)) return next(null, payload);
      if (raw.method === 'HEAD') {
        payload.destroy();
        return next(null, Readable.from([]));
      }
      if (raw.httpVersion === '1.0' && !reply.hasHeader('content-length')) {
        const { socket } = raw;
        const cutOff = (): void => {
          if (!payload.readableEnded) reset(socket);
        };
        // Fastify closes the connection as usual on the first of the two.
        payload.once('error', cutOff).once('close', cutOff);
      }
      next(null, payload);
    });
    done();
  },
  { name: 'the-eye-cut-off-streams' },
);

/**
 * Resets a connection at once. `resetAndDestroy()` of Node first sends what is pending and then the end of the connection,
 * after which a reset is no longer possible; this is its second half.
 */
function reset(socket: Socket): void {
  (socket as Socket & { resetAndClosing?: boolean }).resetAndClosing = true;
  socket.destroy();
}
