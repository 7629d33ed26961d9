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
        const { rows } = await holder.query(`SELECT 1 ${HELD}`);
        if (rows.length === 0) throw new Error('No worker is in the middle of a job.');
      }, 30_000);
      await worker.end('SIGKILL');
      await holder.query(`SELECT pg_terminate_backend(pid) ${HELD}`);
      // A claim would end by itself after a quarter of a minute.
      await api.redis(async (redis) =>
        redis.del('nothing', ...(await redis.keys('the-eye:ingestion:*:lock'))),
      );
      await worker.start();
    }
    const takenOver = await api.redis(async (redis) => {
      const jobs = await redis.lrange('the-eye:ingestion:active', 0, -1);
      const counts = jobs.map((job) => redis.hget(`the-eye:ingestion:${job}`, 'stalledCounter'));
      return Math.max(0, ...(await Promise.all(counts)).map(Number));
    });
    if (takenOver < deaths) throw new Error(`No job was taken over more than ${takenOver} times.`);
  } finally {
    await holder.end();
  }
}
