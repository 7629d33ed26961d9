import Queue from 'bull';
import { Redis } from 'ioredis';
import pg from 'pg';
import { Load } from '../support/load.js';
import { newClickHouseDatabase } from '../support/worker-clickhouse.js';
import { OwnRedis } from '../support/servers.js';
import { createEmptyDatabase } from '../support/worker-postgres.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('An API and workers that share a data folder', () => {
  let api: TheEye;
  let locker: pg.Client;
  beforeAll(async () => {
    api = await startEye({ ROLE: 'api' });
    locker = new pg.Client(api.databaseUrl);
    await locker.connect();
  });
  afterAll(async () => {
    await locker.end();
    await api.close();
  });

  const startWorker = (): Promise<TheEye> => api.startPeer({ ROLE: 'worker' });
  /** Blocks the inserts of the workers, so that their jobs stay active. */
  const blockInserts = (): Promise<unknown> => locker.query('BEGIN; LOCK TABLE events IN EXCLUSIVE MODE');
  const unblockInserts = (): Promise<unknown> => locker.query('COMMIT');
  const blockedStatements = `FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%INSERT INTO events%'`;

  /** Kills a worker while its jobs are active, and cancels its statements. */
  const killDuringJob = async (worker: TheEye): Promise<void> => {
    await eventually(async () => {
      const [row] = await api.sql<{ blocked: number }>(
        `SELECT count(*)::int AS blocked ${blockedStatements}`,
      );
      expect(row?.blocked).toBeGreaterThan(0);
    });
    await worker.end('SIGKILL');
    await api.sql(`SELECT pg_terminate_backend(pid) ${blockedStatements}`);
  };

  /** Removes the job locks, which would otherwise expire after 15 seconds. */
  const removeJobLocks = (): Promise<unknown> =>
    api.redis(async (redis) => redis.del('nothing', ...(await redis.keys('the-eye:ingestion:*:lock'))));

  it('store every event once when a worker is killed and another takes over', async () => {
    const load = Load.on(api);
    const worker = await startWorker();
    await load.waitForResponses(202, 50);
    await blockInserts();
    await load.waitForResponses(202, 50);
    await killDuringJob(worker);
    await load.waitForResponses(202, 50);
    await load.stop();
    const other = await startWorker();
    await unblockInserts();
    await load.expectStored();
    expect(await other.end()).toBe(0);
  });

  it('store the events of a job once after two workers were killed while processing it', async () => {
    const load = Load.on(api, { senders: 4 });
    await load.waitForResponses(202, 20);
    await load.stop();
    await blockInserts();
    for (let attempt = 0; attempt < 2; attempt++) {
      await killDuringJob(await startWorker());
      await removeJobLocks();
    }
    await unblockInserts();
    const worker = await startWorker();
    await load.expectStored();
    expect((await api.get('/rejections/')).body.results).toEqual([]);
    expect(await worker.end()).toBe(0);
  });

  it('store the events whose order was removed, and those of jobs of an earlier version', async () => {
    const queue = new Queue('ingestion', {
      prefix: 'the-eye',
      createClient: () => new Redis(api.redisUrl.replace('unix://', ''), { maxRetriesPerRequest: null }),
    });
    const send = async (): Promise<string> => (await api.post('/events/', anEvent())).body.id;
    const ids = [await send(), await send()];
    await eventually(async () => {
      const [order, ...others] = await queue.getWaiting();
      expect([order?.name, others]).toEqual(['store', []]);
      await order?.remove();
    });
    // What an earlier version put into a job is what this one has put into an entry.
    const [entry = ''] = await api.redis((redis) => redis.lrange('the-eye:ingestion:buffer', 0, 0));
    await api.redis((redis) => redis.lpop('the-eye:ingestion:buffer'));
    const array = `[${entry.slice(entry.indexOf('\n') + 1)}]`;

    const worker = await startWorker();
    const isStored = (id: string): Promise<void> =>
      eventually(async () => expect((await api.get(`/events/${id}/`)).status).toBe(200));
    await isStored(ids[0] ?? '');
    const options = { items: 1, attempts: 9, removeOnComplete: true, preventParsingData: true };
    await queue.add('batch', array, options);
    await isStored(ids[1] ?? '');
    await api.drained();
    expect((await api.get('/health/ready')).body.checks.backlog).toEqual({ status: 'up', events: 0 });
    expect(await worker.end()).toBe(0);
    queue.client.disconnect();
  });

  it('store each event once when several workers share the load and one of them stops', async () => {
    const load = Load.on(api);
    const workers = await Promise.all([startWorker(), startWorker(), startWorker()]);
    await load.waitForResponses(202, 200);
    expect(await workers[0]?.end()).toBe(0);
    await load.waitForResponses(202, 100);
    await load.expectStored();
    for (const worker of workers) expect(await worker.end()).toBe(0);
  });
});

describe('Several instances that start at once on an empty database', () => {
  let redis: OwnRedis;
  beforeAll(async () => void (redis = await OwnRedis.start()));
  afterAll(() => redis.close());

  it('apply each migration once and all store events', async () => {
    const clickhouse = await newClickHouseDatabase();
    const env = {
      DATABASE_URL: await createEmptyDatabase(),
      REDIS_URL: redis.url,
      CLICKHOUSE_URL: clickhouse.url,
    };
    const eyes = await Promise.all([1, 2, 3, 4].map(() => TheEye.start(env)));
    for (const eye of eyes) {
      expect(eye.output).not.toMatch(/"level":"(error|fatal)"/);
      await eye.store(anEvent());
      expect((await eye.get('/events/')).body.results).not.toEqual([]);
    }
    const migrations = (await eyes[0]?.sql<{ name: string }>('SELECT name FROM migrations')) ?? [];
    expect(migrations.length).toBeGreaterThan(0);
    expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length);
    await Promise.all(eyes.map((eye) => eye.close()));
    await clickhouse.drop();
  });
});
