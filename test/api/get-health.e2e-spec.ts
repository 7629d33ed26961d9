import { setTimeout as wait } from 'node:timers/promises';
import { OwnPostgres, OwnRedis } from '../support/servers.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe.each(['all', 'api', 'worker'])('The health of a process with ROLE=%s', (role) => {
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

  it('is live and ready when everything is there', async () => {
    const { status, body } = await eye.get('/health/live');
    expect({ status, body }).toEqual({ status: 200, body: { status: 'ok' } });
    await expectReady();
  });

  it.each([
    ['postgresql', 'away', () => postgres.stop(), () => postgres.start()],
    ['postgresql', 'silent', () => postgres.freeze(), () => postgres.thaw()],
    ['redis', 'away', () => redis.stop(), () => redis.start()],
  ])('is not ready while %s is %s, but lives, and is ready again by itself', async (name, _, end, mend) => {
    await end();
    await expectNotReady([name]);
    expect((await eye.get('/health/live')).status).toBe(200);
    await mend();
    await expectReady();
  });

  it('names everything that is missing', async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    await expectNotReady(['postgresql', 'redis']);
    await Promise.all([postgres.start(), redis.start()]);
    await expectReady();
  });
});

describe('The health of a worker alone', () => {
  let worker: TheEye;
  beforeAll(async () => void (worker = await startEye({ ROLE: 'worker' })));
  afterAll(() => worker.close());

  it.each(['/health/live', '/health/live/', '/health/ready', '/health/ready/'])(
    'is told at %s',
    async (path) => {
      expect((await worker.get(path)).status).toBe(200);
    },
  );

  it('is all that it tells, with its metrics: it takes no events and gives none out', async () => {
    expect((await worker.post('/events/', anEvent())).status).toBe(404);
    expect((await worker.get('/events/')).status).toBe(404);
    expect((await worker.get('/rejections/')).status).toBe(404);
    expect((await worker.get('/queues')).status).toBe(404);
    expect((await worker.get('/metrics')).body).toContain('role="worker"');
  });
});

describe('The backlog of a worker', () => {
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

  it('is never less than nothing, though a worker may store what nobody has counted yet', async () => {
    const seen: number[] = [];
    for (let round = 0; round < 5; round++) {
      await api.store([anEvent(), anEvent(), anEvent()]);
      for (let look = 0; look < 10; look++) {
        seen.push((await worker.get('/health/ready')).body.checks.backlog.events);
        await wait(20);
      }
    }
    expect(Math.min(...seen)).toBe(0);
  });
});
