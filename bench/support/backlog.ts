import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { TheEye } from '../../testing/the-eye.js';

/** Milliseconds between two looks. */
const POLL_INTERVAL_MS = 25;

/** Milliseconds between two looks at the database, which has better things to do. */
const DATABASE_POLL_INTERVAL_MS = 500;

/** Milliseconds that a backlog gets; a million events on a slow machine take minutes. */
const BACKLOG_TIMEOUT_MS = 1_200_000;

/** Resolves once what is kept beside the events, of their counts and sessions, has all of them. */
export function waitForRollup(eye: TheEye): Promise<void> {
  const pending = `SELECT FROM event_count_changes UNION ALL SELECT FROM session_changes LIMIT 1`;
  return pollUntil(
    'The changes are not folded.',
    DATABASE_POLL_INTERVAL_MS,
    async () => (await eye.sql(pending)).length === 0,
  );
}

/** Resolves once all that was accepted is stored: no job waits or is under way. */
export async function waitForDrain({ redisUrl }: TheEye): Promise<void> {
  const redis = new Redis(redisUrl.replace(/^unix:\/\//, ''));
  try {
    await pollUntil(
      'The backlog does not drain.',
      POLL_INTERVAL_MS,
      async () => (await countJobs(redis)) === 0,
    );
  } finally {
    redis.disconnect();
  }
}

/** @param intervalMs milliseconds between two looks */
async function pollUntil(
  timeoutMessage: string,
  intervalMs: number,
  condition: () => Promise<boolean>,
): Promise<void> {
  for (const end = Date.now() + BACKLOG_TIMEOUT_MS; !(await condition());) {
    if (Date.now() > end) throw new Error(timeoutMessage);
    await wait(intervalMs);
  }
}

async function countJobs(redis: Redis): Promise<number> {
  const key = (list: string): string => `the-eye:ingestion:${list}`;
  const [waiting, active, delayed] = await Promise.all([
    redis.llen(key('wait')),
    redis.llen(key('active')),
    redis.zcard(key('delayed')),
  ]);
  return waiting + active + delayed;
}
