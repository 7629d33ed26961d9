import type { Redis } from 'ioredis';
import pg from 'pg';
import { eventually } from '../support/the-eye.js';
import type { Deployment } from './deployment.js';

const HELD = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO events%'`;

/**
 * Kills a worker in the middle of its jobs, and each that takes them over from it.
 * @throws Error where no job was under way at every death
 */
export async function dieOnOneJob({ postgres, apis, workers }: Deployment, deaths: number): Promise<void> {
  const [api] = apis;
  const [worker] = workers;
  if (!api || !worker) throw new Error('An API and a worker are missing.');
  const holder = new pg.Client(postgres.url);
  await holder.connect();
  try {
    // Lets no statement of a worker pass.
    await holder.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE');
    for (let death = 0; death < deaths; death++) {
      await eventually(async () => {
        // Not the holder, whose transaction sees the activity of its first look only.
        const held = await api.sql(`SELECT 1 ${HELD}`);
        if (held.length === 0) throw new Error(`No job is under way before death ${death + 1}.`);
      }, 30_000);
      await worker.end('SIGKILL');
      await api.sql(`SELECT pg_terminate_backend(pid) ${HELD}`);
      await api.redis(letClaimsEnd);
      await worker.start();
    }
    const takenOver = await api.redis(async (redis) => {
      // The worker has taken them, or is about to.
      const jobs = await redis.lrange('the-eye:ingestion:active', 0, -1);
      jobs.push(...(await redis.lrange('the-eye:ingestion:wait', -50, -1)));
      const counts = jobs.map((job) => redis.hget(`the-eye:ingestion:${job}`, 'stalledCounter'));
      return Math.max(0, ...(await Promise.all(counts)).map(Number));
    });
    if (takenOver < deaths) throw new Error(`No job was taken over more than ${takenOver} times.`);
  } finally {
    await holder.end();
  }
}

/**
 * What the passing of half a minute would do: the claims of the dead worker end, and its jobs are known to have stalled, so
 * that the next worker begins with them.
 */
async function letClaimsEnd(redis: Redis): Promise<void> {
  const queue = 'the-eye:ingestion';
  const jobs = await redis.lrange(`${queue}:active`, 0, -1);
  await redis.del(`${queue}:stalled-check`, ...jobs.map((job) => `${queue}:${job}:lock`));
  await redis.sadd(`${queue}:stalled`, ...jobs);
}
