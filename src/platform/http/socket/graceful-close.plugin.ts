import fp from 'fastify-plugin';
import type { Socket } from 'node:net';

/** Milliseconds in which a request may still come on a connection that was opened just before the stop. */
const FIRST_REQUEST_TIMEOUT_MS = 1000;

/** Milliseconds between two searches for connections that became idle. */
const IDLE_CHECK_INTERVAL_MS = 100;

/** Closes connections without a request when the server stops, so that it only waits for responses under way. */
export const gracefulClose = fp(
  (fastify, _, done) => {
    const connections = new Set<Socket>();
    fastify.server.on('connection', (socket: Socket) => {
      connections.add(socket);
      socket.once('close', () => connections.delete(socket));
    });
    fastify.addHook('preClose', (next) => {
      // Node closes the connections that are idle now; one with a request under way becomes idle later.
      setInterval(() => fastify.server.closeIdleConnections(), IDLE_CHECK_INTERVAL_MS).unref();
      // Node takes a connection on which nothing ever came for a busy one. Browsers open some in advance.
      setTimeout(() => {
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
      }, FIRST_REQUEST_TIMEOUT_MS).unref();
      next();
    });
    done();
  },
  { name: 'the-eye-graceful-close' },
);
