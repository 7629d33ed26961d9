import type { Redis } from 'ioredis';
import pg from 'pg';
import { eventually } from '../../testing/the-eye.js';
import type { Deployment } from './deployment.js';

const QUEUE = 'the-eye:ingestion';

const BLOCKED_INSERTS = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO events%'`;

/**
 * Kills workers one after the other while they process the same job.
 * @param deaths number of workers to kill on one job
 * @throws Error if too few workers take over the same job
 */
export async function killWorkersOnOneJob(
  { postgres, apis, workers }: Deployment,
  deaths: number,
): Promise<void> {
  const [api] = apis;
  const [worker] = workers;
  if (!api || !worker) throw new Error('The deployment needs an API and a worker.');
  const blocker = new pg.Client(postgres.url);
  await blocker.connect();
  try {
    // Blocks all INSERTs of workers.
    await blocker.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE');
    // A worker may start with other jobs, before those of the killed one are back in the queue.
    for (let death = 1; (await api.redis(maxStalledCount)) < deaths; death++) {
      if (death > 5 * deaths) throw new Error(`Too few of ${death} workers died on the same job.`);
      await eventually(async () => {
        // Not over the blocker's connection: within a transaction, pg_stat_activity is a snapshot.
        const blocked = await api.sql(`SELECT 1 ${BLOCKED_INSERTS}`);
        if (blocked.length === 0) throw new Error(`No job is active before death ${death}.`);
      }, 30_000);
      await worker.end('SIGKILL');
      await api.sql(`SELECT pg_terminate_backend(pid) ${BLOCKED_INSERTS}`);
      await api.redis(expireJobLocks);
      await worker.start();
    }
  } finally {
    await blocker.end();
  }
}

/** The highest stalled count of the active jobs and the next waiting ones. */
async function maxStalledCount(redis: Redis): Promise<number> {
  const jobs = [
    ...(await redis.lrange(`${QUEUE}:active`, 0, -1)),
    ...(await redis.lrange(`${QUEUE}:wait`, -50, -1)),
  ];
  const counts = jobs.map((job) => redis.hget(`${QUEUE}:${job}`, 'stalledCounter'));
  return Math.max(0, ...(await Promise.all(counts)).map(Number));
}

/**
 * Simulates the passing of half a minute: expires the locks of the killed worker and marks its jobs as stalled, so that
 * the next worker starts with them.
 */
async function expireJobLocks(redis: Redis): Promise<void> {
  const jobs = await redis.lrange(`${QUEUE}:active`, 0, -1);
  await redis.del(`${QUEUE}:stalled-check`, ...jobs.map((job) => `${QUEUE}:${job}:lock`));
  await redis.sadd(`${QUEUE}:stalled`, ...jobs);
}
