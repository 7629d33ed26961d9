import { createBullBoard } from '@bull-board/api';
import { BullAdapter } from '@bull-board/api/bullAdapter';
import { FastifyAdapter } from '@bull-board/fastify';
import { getQueueToken } from '@nestjs/bull';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Queue } from 'bull';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../platform/http/problem.js';
import { INGESTION_QUEUE } from '../queue/queue.constants.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';

const PATH = '/queues';

/** Fonts of another host: a page of The Eye asks nobody else. */
const FOREIGN_LINKS = /<link [^>]*href="https?:[^>]*>/g;

/**
 * Bull Board at /queues, for keys of scope `admin`: what waits, what is under way, and how often it failed. It only
 * shows: a job that somebody removed or emptied by hand would be events that were accepted and lost. Of the events in a
 * job it tells the size; they are looked at in /events/, once they are stored.
 */
export function showQueue(app: NestFastifyApplication): void {
  const queue = new BullAdapter(app.get<Queue>(getQueueToken(INGESTION_QUEUE)), { readOnlyMode: true });
  queue.setFormatter('data', (data: unknown) => ({ bytes: Buffer.byteLength(String(data)) }));
  const board = new FastifyAdapter().setBasePath(PATH);
  createBullBoard({
    queues: [queue],
    serverAdapter: board,
    options: { uiConfig: { boardTitle: 'The Eye: queue', hideRedisDetails: true } },
  });
  // Thrown again, errors become problems as everywhere. The board itself only ever asks Redis.
  board.setErrorHandler((error) => {
    const isAnswer = error instanceof Problem || 'statusCode' in error;
    throw isAnswer ? error : new RedisUnavailableError('Redis is not available right now.', { cause: error });
  });
  const plugin = (fastify: FastifyInstance, _: unknown, done: () => void): void => {
    fastify.addHook('onRoute', (route) => {
      route.config = { ...route.config, access: 'admin' };
    });
    fastify.addHook('onSend', (_request, reply, payload, next) => {
      const isPage = String(reply.getHeader('content-type')).startsWith('text/html');
      next(null, isPage && typeof payload === 'string' ? payload.replace(FOREIGN_LINKS, '') : payload);
    });
    void fastify.register(board.registerPlugin());
    done();
  };
  void app.getHttpAdapter().getInstance().register(plugin, { prefix: PATH });
}
