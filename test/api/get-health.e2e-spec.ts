import { setTimeout as wait } from 'node:timers/promises';
import { OwnPostgres, OwnRedis } from '../support/servers.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe.each(['all', 'api', 'worker'])('GET /health/ready with ROLE=%s', (role) => {
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  let eye: TheEye;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([OwnPostgres.start(), OwnRedis.start()]);
    eye = await startEye({ ROLE: role, DATABASE_URL: postgres.url, REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await eye.close();
    await Promise.all([postgres.close(), redis.close()]);
  });

  const expectReady = (): Promise<void> =>
    eventually(async () => {
      const { status, body } = await eye.get('/health/ready');
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          status: 'ok',
          checks: {
            postgresql: { status: 'up' },
            redis: { status: 'up' },
            backlog: { status: 'up', events: 0 },
          },
        },
      });
    });

  const expectNotReady = (down: string[]): Promise<void> =>
    eventually(async () => {
      const { status, headers, body, took } = await eye.get('/health/ready');
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
      expect(headers.get('content-type')).toMatch('application/problem+json');
      expect(body).toMatchObject({ code: 'not_ready', detail: `Not ready: ${down.join(', ')}.` });
      const found = Object.keys(body.checks).filter((name) => body.checks[name].status === 'down');
      expect(found).toEqual(down);
      expect(took).toBeLessThan(4000);
    });

  it('returns 200, as does GET /health/live, while all dependencies are up', async () => {
    const { status, body } = await eye.get('/health/live');
    expect({ status, body }).toEqual({ status: 200, body: { status: 'ok' } });
    await expectReady();
  });

  it.each([
    ['postgresql', 'down', () => postgres.stop(), () => postgres.start()],
    ['postgresql', 'unresponsive', () => postgres.freeze(), () => postgres.thaw()],
    ['redis', 'down', () => redis.stop(), () => redis.start()],
  ])(
    'returns 503 while %s is %s, and 200 after it recovers, while GET /health/live returns 200',
    async (name, _, interrupt, restore) => {
      await interrupt();
      await expectNotReady([name]);
      expect((await eye.get('/health/live')).status).toBe(200);
      await restore();
      await expectReady();
    },
  );

  it('names every dependency that is down', async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    await expectNotReady(['postgresql', 'redis']);
    await Promise.all([postgres.start(), redis.start()]);
    await expectReady();
  });
});

describe('A process with ROLE=worker', () => {
  let worker: TheEye;
  beforeAll(async () => void (worker = await startEye({ ROLE: 'worker' })));
  afterAll(() => worker.close());

  it.each(['/health/live', '/health/live/', '/health/ready', '/health/ready/'])(
    'serves GET %s',
    async (path) => {
      expect((await worker.get(path)).status).toBe(200);
    },
  );

  it('serves metrics, but no events, rejections or queues', async () => {
    expect((await worker.post('/events/', anEvent())).status).toBe(404);
    expect((await worker.get('/events/')).status).toBe(404);
    expect((await worker.get('/rejections/')).status).toBe(404);
    expect((await worker.get('/queues')).status).toBe(404);
    expect((await worker.get('/metrics')).body).toContain('role="worker"');
  });
});

describe('The backlog in GET /health/ready', () => {
  let api: TheEye;
  let worker: TheEye;
  beforeAll(async () => {
    api = await startEye({ ROLE: 'api' });
    worker = await api.startPeer({ ROLE: 'worker' });
  });
  afterAll(async () => {
    await worker.end();
    await api.close();
  });

  it('is never negative, even if a worker stores events before they are counted as accepted', async () => {
    const seen: number[] = [];
    for (let round = 0; round < 5; round++) {
      await api.store([anEvent(), anEvent(), anEvent()]);
      for (let poll = 0; poll < 10; poll++) {
        seen.push((await worker.get('/health/ready')).body.checks.backlog.events);
        await wait(20);
      }
    }
    expect(Math.min(...seen)).toBe(0);
  });
});
