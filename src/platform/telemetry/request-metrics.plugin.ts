import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { measureEventLoop } from './event-loop-delay.js';
import { log } from './log.js';
import { metrics } from './metrics.js';

/** Counts and logs every request, by the template of its route; `none` without a route. */
export const requestMetrics = fp(
  (fastify, _, done) => {
    fastify.addHook('onRequest', (_request, _reply, next) => {
      measureEventLoop();
      next();
    });
    fastify.addHook('onResponse', (request, reply, next) => {
      const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
      metrics.responded(request.method, route, reply.statusCode, reply.elapsedTime);
      logRequest(request, reply, route);
      next();
    });
    done();
  },
  { name: 'the-eye-request-metrics' },
);

/**
 * Logs a request: at level `warn` if The Eye failed, otherwise at `debug`. Headers, path, query and body are left out,
 * because they hold keys and what people did.
 */
function logRequest(
  { id, method }: FastifyRequest,
  { statusCode, elapsedTime }: FastifyReply,
  route: string,
): void {
  const level = statusCode >= 500 ? 'warn' : 'debug';
  if (!log.isLevelEnabled(level)) return;
  log[level](
    { reqId: id, method, route, status: statusCode, ms: Math.round(elapsedTime * 10) / 10 },
    'request completed',
  );
}
