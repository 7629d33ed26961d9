import fp from 'fastify-plugin';
import type { ServerResponse } from 'node:http';
import { environment } from '../../config/environment.js';

/** Bytes of a response that fit into the kernel's send buffer, so that a slow client does not hold them in this process. */
const SEND_BUFFER_BYTES = 64 * 1024;

/** About 2 Mbit/s. */
const MIN_BYTES_PER_SECOND = 256 * 1024;

/**
 * Closes the connection of a client that reads a large response too slowly, since the response stays in memory until
 * then. The connection's own timeout only finds clients that read nothing at all; for streams it is the only one.
 */
export const slowReaders = fp(
  (fastify, _, done) => {
    fastify.addHook('onSend', (_request, reply, payload, next) => {
      const size = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0;
      if (size > SEND_BUFFER_BYTES)
        setReadTimeout(reply.raw, environment.REQUEST_TIMEOUT + (size / MIN_BYTES_PER_SECOND) * 1000);
      next(null, payload);
    });
    done();
  },
  { name: 'the-eye-slow-readers', dependencies: ['the-eye-json-indent'] },
);

/** Destroys the connection unless the client has read the whole response within `timeoutMs`. */
export function setReadTimeout(response: ServerResponse, timeoutMs: number): void {
  const timer = setTimeout(() => response.destroy(), timeoutMs).unref();
  response.once('close', () => clearTimeout(timer));
}
