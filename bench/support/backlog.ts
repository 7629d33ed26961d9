import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { TheEye } from '../../testing/the-eye.js';

/** Milliseconds between two looks. */
const INTERVAL = 25;

/** Milliseconds between two looks at the database, which has better things to do. */
const FOLDING = 500;

/** Milliseconds that a backlog gets; a million events on a slow machine take minutes. */
const PATIENCE = 1_200_000;

/** Resolves once what is kept beside the events, of their counts and sessions, has all of them. */
export function folded(eye: TheEye): Promise<void> {
  const pending = `SELECT FROM event_count_changes UNION ALL SELECT FROM session_changes LIMIT 1`;
  return until('The changes are not folded.', FOLDING, async () => (await eye.sql(pending)).length === 0);
}

/** Resolves once all that was accepted is stored: no job waits or is under way. */
export async function drained({ redisUrl }: TheEye): Promise<void> {
  const redis = new Redis(redisUrl.replace(/^unix:\/\//, ''));
  try {
    await until('The backlog does not drain.', INTERVAL, async () => (await jobs(redis)) === 0);
  } finally {
    redis.disconnect();
  }
}

/** @param interval milliseconds between two looks */
async function until(otherwise: string, interval: number, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE; !(await look());) {
    if (Date.now() > end) throw new Error(otherwise);
    await wait(interval);
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
