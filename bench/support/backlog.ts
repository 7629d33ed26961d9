import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { TheEye } from '../../testing/the-eye.js';

/** Poll interval for Redis. */
const POLL_INTERVAL_MS = 25;

/** Poll interval for PostgreSQL, long enough not to disturb the measurement. */
const DATABASE_POLL_INTERVAL_MS = 500;

/** A million events on a slow machine take minutes. */
const BACKLOG_TIMEOUT_MS = 1_200_000;

/** Resolves once ClickHouse has a complete copy of all stored events. */
export function waitForCopy(eye: TheEye): Promise<void> {
  const behind = `SELECT FROM replication_state
    WHERE copy IS NULL OR copy_schema IS NULL OR next_copy IS NOT NULL OR batch_kind IS NOT NULL
      OR EXISTS (SELECT FROM replication_log)`;
  return pollUntil(
    'ClickHouse did not catch up.',
    DATABASE_POLL_INTERVAL_MS,
    async () => (await eye.sql(behind)).length === 0,
  );
}

/** Resolves once all accepted events are stored. */
export async function waitForDrain({ redisUrl }: TheEye): Promise<void> {
  const redis = new Redis(redisUrl.replace(/^unix:\/\//, ''));
  try {
    await pollUntil(
      'The backlog did not drain.',
      POLL_INTERVAL_MS,
      // Not the work order, which rests for a moment before it ends.
      async () => Number(await redis.get('the-eye:ingestion:items')) === 0,
    );
  } finally {
    redis.disconnect();
  }
}

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
