import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { TheEye } from '../../test/support/the-eye.js';

/** Milliseconds between two looks. */
const INTERVAL = 25;

/** Milliseconds that a backlog gets; a million events on a slow machine take minutes. */
const PATIENCE = 1_200_000;

/** Resolves once all that was accepted is stored: no job waits or is under way. */
export async function drained({ redisUrl }: TheEye): Promise<void> {
  const redis = new Redis(redisUrl.replace(/^unix:\/\//, ''));
  try {
    for (const end = Date.now() + PATIENCE; (await jobs(redis)) > 0;) {
      if (Date.now() > end) throw new Error('The backlog does not drain.');
      await wait(INTERVAL);
    }
  } finally {
    redis.disconnect();
  }
}

async function jobs(redis: Redis): Promise<number> {
  const key = (list: string): string => `the-eye:ingestion:${list}`;
  const [waiting, active, delayed] = await Promise.all([
    redis.llen(key('wait')),
    redis.llen(key('active')),
    redis.zcard(key('delayed')),
  ]);
  return waiting + active + delayed;
}
