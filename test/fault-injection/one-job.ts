import type { Redis } from 'ioredis';
import pg from 'pg';
import { eventually } from '../../testing/the-eye.js';
import type { Deployment } from './deployment.js';

const QUEUE = 'the-eye:ingestion';

const BLOCKED_INSERTS = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO events%'`;

/**
 * Kills a worker in the middle of its jobs, and each that takes them over from it, until so many have died on one job.
 * @throws Error where that does not come about
 */
export async function killWorkersOnOneJob(
  { postgres, apis, workers }: Deployment,
  deaths: number,
): Promise<void> {
  const [api] = apis;
  const [worker] = workers;
  if (!api || !worker) throw new Error('An API and a worker are missing.');
  const blocker = new pg.Client(postgres.url);
  await blocker.connect();
  try {
    // Lets no statement of a worker pass.
    await blocker.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE');
    // A worker may begin with others, before those of the dead one are back in the queue.
    for (let death = 1; (await api.redis(maxStalledCount)) < deaths; death++) {
      if (death > 5 * deaths) throw new Error(`Of ${death} workers too few died on the same job.`);
      await eventually(async () => {
        // Not the holder, whose transaction sees the activity of its first look only.
        const blocked = await api.sql(`SELECT 1 ${BLOCKED_INSERTS}`);
        if (blocked.length === 0) throw new Error(`No job is under way before death ${death}.`);
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

/** How often the job that was taken over most often was, of those that are under way or about to be. */
async function maxStalledCount(redis: Redis): Promise<number> {
  const jobs = [
    ...(await redis.lrange(`${QUEUE}:active`, 0, -1)),
    ...(await redis.lrange(`${QUEUE}:wait`, -50, -1)),
  ];
  const counts = jobs.map((job) => redis.hget(`${QUEUE}:${job}`, 'stalledCounter'));
  return Math.max(0, ...(await Promise.all(counts)).map(Number));
}

/**
 * What the passing of half a minute would do: the claims of the dead worker end, and its jobs are known to have stalled, so
 * that the next worker begins with them.
 */
async function expireJobLocks(redis: Redis): Promise<void> {
  const jobs = await redis.lrange(`${QUEUE}:active`, 0, -1);
  await redis.del(`${QUEUE}:stalled-check`, ...jobs.map((job) => `${QUEUE}:${job}:lock`));
  await redis.sadd(`${QUEUE}:stalled`, ...jobs);
}
