import { OwnPostgres, OwnRedis } from '../support/servers.js';
import { anEvent, eventually, onTime, TheEye } from '../../testing/the-eye.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

const ROLES = ['all', 'api', 'worker'] as const;

describe('GET /health', () => {
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  let eyes: Record<(typeof ROLES)[number], TheEye>;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([OwnPostgres.start(), OwnRedis.start()]);
    const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
    const [all, api, worker] = await Promise.all(
      ROLES.map((ROLE) => startEyeWithClickHouse({ ...env, ROLE })),
    );
    eyes = { all, api, worker } as typeof eyes;
  });
  afterAll(async () => {
    await Promise.all(Object.values(eyes).map((eye) => eye.close()));
    await Promise.all([postgres.close(), redis.close()]);
  });

  const expectReady = (role: (typeof ROLES)[number]): Promise<void> =>
    eventually(async () => {
      const { status, body } = await eyes[role].get('/health/ready');
      expect({ role, status, body }).toEqual({
        role,
        status: 200,
        body: {
          status: 'ok',
          checks: {
            postgresql: { status: 'up' },
            redis: { status: 'up' },
            backlog: { status: 'up', events: 0 },
            clickhouse: { status: 'up' },
            replication: expect.objectContaining({ status: 'up' }),
          },
        },
      });
    });

  const expectNotReady = (role: (typeof ROLES)[number], down: string[]): Promise<void> =>
    eventually(async () => {
      const { status, headers, body, took } = await eyes[role].get('/health/ready');
      expect([role, status]).toEqual([role, 503]);
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
      expect(headers.get('content-type')).toMatch('application/problem+json');
      expect(body).toMatchObject({ code: 'not_ready', detail: `Not ready: ${down.join(', ')}.` });
      const found = Object.keys(body.checks).filter((name) => body.checks[name].status === 'down');
      expect(found).toEqual(down);
      expect(took).toBeLessThan(onTime(2000));
    });

  it.each(ROLES)('returns 200 with ROLE=%s while all dependencies are up', async (role) => {
    for (const path of ['/health/live', '/health/live/']) {
      const { status, body } = await eyes[role].get(path);
      expect({ status, body }).toEqual({ status: 200, body: { status: 'ok' } });
    }
    await expectReady(role);
    expect((await eyes[role].get('/health/ready/')).status).toBe(200);
  });

  it.each([
    ['postgresql is down', ['postgresql'], () => postgres.stop(), () => postgres.start()],
    ['postgresql is unresponsive', ['postgresql'], () => postgres.freeze(), () => postgres.thaw()],
    ['redis is down', ['redis'], () => redis.stop(), () => redis.start()],
    [
      'both are down',
      ['postgresql', 'redis'],
      () => Promise.all([postgres.stop(), redis.stop()]),
      () => Promise.all([postgres.start(), redis.start()]),
    ],
  ])(
    'returns 503 at /health/ready while %s, and 200 after the recovery, with every ROLE; /health/live returns 200',
    async (_, down, interrupt, restore) => {
      await interrupt();
      await Promise.all(ROLES.map((role) => expectNotReady(role, down)));
      for (const role of ROLES) expect((await eyes[role].get('/health/live')).status).toBe(200);
      await restore();
      await Promise.all(ROLES.map(expectReady));
    },
  );

  it('is served by a worker beside its metrics, but no events, rejections or queues are', async () => {
    const { worker } = eyes;
    expect((await worker.post('/events/', anEvent())).status).toBe(404);
    expect((await worker.get('/events/')).status).toBe(404);
    expect((await worker.get('/rejections/')).status).toBe(404);
    expect((await worker.get('/queues')).status).toBe(404);
    expect((await worker.get('/metrics')).body).toContain('role="worker"');
  });

  it('never reports a negative backlog, even if a worker stores events before they are counted as accepted', async () => {
    const seen: number[] = [];
    for (let round = 0; round < 5; round++) {
      await eyes.api.store([anEvent(), anEvent(), anEvent()]);
      for (let poll = 0; poll < 10; poll++)
        seen.push((await eyes.worker.get('/health/ready')).body.checks.backlog.events);
    }
    expect(Math.min(...seen)).toBe(0);
  });
});
