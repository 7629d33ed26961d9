import pg from 'pg';
import { Load } from '../support/load.js';
import { OwnRedis } from '../support/servers.js';
import { createEmptyDatabase } from '../support/worker-postgres.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('An API and workers that share a data folder', () => {
  let api: TheEye;
  let holder: pg.Client;
  beforeAll(async () => {
    api = await startEye({ ROLE: 'api' });
    holder = new pg.Client(api.databaseUrl);
    await holder.connect();
  });
  afterAll(async () => {
    await holder.end();
    await api.close();
  });

  const startWorker = (): Promise<TheEye> => api.startPeer({ ROLE: 'worker' });
  /** Lets no statement of a worker pass, so that the worker is in the middle of its jobs. */
  const hold = (): Promise<unknown> => holder.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE');
  const release = (): Promise<unknown> => holder.query('COMMIT');
  const heldStatements = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO events%'`;

  /** Kills a worker in the middle of its jobs, and its statements with it. */
  const killAtWork = async (worker: TheEye): Promise<void> => {
    await eventually(async () => {
      const [row] = await api.sql<{ held: number }>(`SELECT count(*)::int AS held ${heldStatements}`);
      expect(row?.held).toBeGreaterThan(0);
    }, 30_000);
    await worker.end('SIGKILL');
    await api.sql(`SELECT pg_terminate_backend(pid) ${heldStatements}`);
  };

  /** A worker's claim on a job runs out by itself after a quarter of a minute. */
  const forgetClaims = (): Promise<unknown> =>
    api.redis(async (redis) => redis.del('nothing', ...(await redis.keys('the-eye:ingestion:*:lock'))));

  it('lose nothing and store nothing twice when a worker is killed and another takes over, within half a minute', async () => {
    const load = Load.on(api);
    const worker = await startWorker();
    await load.answered(202, 50);
    await hold();
    await load.answered(202, 50);
    await killAtWork(worker);
    await load.answered(202, 50);
    await load.stop();
    const other = await startWorker();
    await release();
    const began = Date.now();
    await load.expectStored();
    expect(Date.now() - began).toBeLessThan(30_000);
    expect(await other.end()).toBe(0);
  });

  it('store the events of a job once, however many workers died on it', async () => {
    const load = Load.on(api, { senders: 4 });
    await load.answered(202, 20);
    await load.stop();
    await hold();
    for (let death = 0; death < 2; death++) {
      await killAtWork(await startWorker());
      await forgetClaims();
    }
    await release();
    const worker = await startWorker();
    await load.expectStored();
    expect((await api.get('/rejections/')).body.results).toEqual([]);
    expect(await worker.end()).toBe(0);
  });

  it('store each event once when several workers share the work, and one of them stops in the middle', async () => {
    const load = Load.on(api);
    const workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
    await load.answered(202, 200);
    expect(await workers[0]?.end()).toBe(0);
    await load.answered(202, 100);
    await load.expectStored();
    for (const worker of workers) expect(await worker.end()).toBe(0);
  });
});

describe('Several of The Eye that start at once on an empty database', () => {
  let redis: OwnRedis;
  beforeAll(async () => void (redis = await OwnRedis.start()));
  afterAll(() => redis.close());

  it('migrate it once, and work all of them', async () => {
    const env = { DATABASE_URL: await createEmptyDatabase(), REDIS_URL: redis.url };
    const eyes = await Promise.all([1, 2, 3, 4].map(() => TheEye.start(env)));
    for (const eye of eyes) {
      expect(eye.output).not.toMatch(/"level":"(warn|error|fatal)"/);
      await eye.store(anEvent());
      expect((await eye.get('/events/')).body.results).not.toEqual([]);
    }
    const migrations = (await eyes[0]?.sql<{ name: string }>('SELECT name FROM migrations')) ?? [];
    expect(migrations.length).toBeGreaterThan(0);
    expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length);
    await Promise.all(eyes.map((eye) => eye.close()));
  });
});
