import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { log } from './log.js';
import { metrics } from './metrics.js';

/** Counts and logs every request that reached a route, or looked for one. */
export function observeRequests(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onResponse', (request, reply, done) => {
      const route = request.is404 ? 'none' : (request.routeOptions.url ?? 'none');
      metrics.answered(request.method, route, reply.statusCode, reply.elapsedTime);
      logAnswer(request, reply, route);
      done();
    });
}

/**
 * A line a request where somebody wants to see them; always one where The Eye itself failed. Not a word of what stands
 * in headers, path, query and body: keys, and what people did.
 */
function logAnswer(
  { id, method }: FastifyRequest,
  { statusCode, elapsedTime }: FastifyReply,
  route: string,
): void {
  const level = statusCode >= 500 ? 'warn' : 'debug';
  if (!log.isLevelEnabled(level)) return;
  log[level](
    { reqId: id, method, route, status: statusCode, ms: Math.round(elapsedTime * 10) / 10 },
    'answered',
  );
}
