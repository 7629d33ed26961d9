import fp from 'fastify-plugin';
import type { Socket } from 'node:net';

declare module 'fastify' {
  interface FastifyInstance {
    /** Lets each client open a new connection after its next response. Called when the stop is announced. */
    endKeepAlive(): void;
    /** Starts to close connections without a request. Called when the stop begins, before jobs and statements finish. */
    startDraining(): void;
  }
}

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
    let timer: NodeJS.Timeout | undefined;
    const startDraining = (): void => {
      if (timer) return;
      // Node closes the connections that are idle now; one with a request under way becomes idle later.
      timer = setInterval(() => fastify.server.closeIdleConnections(), IDLE_CHECK_INTERVAL_MS).unref();
      // Node takes a connection on which nothing ever came for a busy one. Browsers open some in advance.
      setTimeout(() => {
        for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
      }, FIRST_REQUEST_TIMEOUT_MS).unref();
    };
    fastify.decorate('startDraining', startDraining);
    let isAnnounced = false;
    fastify.decorate('endKeepAlive', () => void (isAnnounced = true));
    fastify.addHook('onRequest', (_request, reply, next) => {
      // On the raw response, as Fastify does once it closes: early responses drop a header of the reply.
      if (isAnnounced) reply.raw.setHeader('connection', 'close');
      next();
    });
    fastify.addHook('preClose', (next) => {
      startDraining();
      next();
    });
    fastify.addHook('onClose', (_instance, next) => {
      clearInterval(timer);
      next();
    });
    done();
  },
  { name: 'the-eye-graceful-close' },
);
