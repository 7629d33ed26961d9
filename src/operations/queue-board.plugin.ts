import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import type { Queue } from 'bull';
import type { FastifyPluginCallback } from 'fastify';
import { DomainError } from '../platform/errors/domain-error.js';
import { BASE_PATH } from '../platform/http/links.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';

/** Fonts of other hosts, which the Content-Security-Policy blocks. */
const EXTERNAL_LINKS = /<link [^>]*href="https?:[^>]*>/g;

/**
 * Bull Board for keys of scope `admin`: the waiting and active jobs, and how often they failed. It is read-only, because
 * to remove a job would lose accepted events. It shows the size of a job instead of its events, which are in `/events/`
 * once they are stored.
 */
export const queueBoard: FastifyPluginCallback<{ prefix: string; queue: Queue }> = (
  fastify,
  { prefix, queue },
  registered,
) => {
  const adapter = new BullAdapter(queue, { readOnlyMode: true });
  adapter.setFormatter('data', (data: unknown) => ({ bytes: Buffer.byteLength(String(data)) }));
  const board = new FastifyAdapter().setBasePath(`${BASE_PATH}${prefix}`);
  createBullBoard({
    queues: [adapter],
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'The Eye: queue', hideRedisDetails: true } },
  });
  // Rethrows, so that ProblemFilter handles the error. The board itself uses nothing but Redis.
  board.setErrorHandler((error) => {
    const hasStatus = error instanceof DomainError || 'statusCode' in error;
    throw hasStatus ? error : new RedisUnavailableError(undefined, { cause: error });
  });

  fastify.addHook('onRoute', (route) => {
    route.config = { ...route.config, access: 'admin' };
  });
  fastify.addHook('onSend', (_request, reply, payload, next) => {
    const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
    next(null, isPage && typeof payload === 'string' ? payload.replace(EXTERNAL_LINKS, '') : payload);
  });
  void fastify.register(board.registerPlugin());
  registered();
};
