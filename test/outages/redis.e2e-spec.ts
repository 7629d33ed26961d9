import { Load } from '../support/load.js';
import { OwnPostgres, OwnRedis } from '../support/servers.js';
import { anEvent, type EyeResponse, eventually, inLog, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

/** Expects, without delay, the problem document that asks a client to retry. */
function expectUnavailable({ status, headers, body, took }: EyeResponse, code = 'queue_unavailable'): void {
  expect({ status, code: body.code }).toEqual({ status: 503, code });
  expect(headers.get('retry-after')).toMatch(/^\d+$/);
  expect(headers.get('content-type')).toMatch('application/problem+json');
  expect(took).toBeLessThan(onTime(2000));
}

describe('Redis faults', () => {
  let redis: OwnRedis;
  let eye: TheEye;
  beforeAll(async () => {
    redis = await OwnRedis.start();
    eye = await startEye({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await eye.close();
    await redis.close();
  });

  const send = (): Promise<EyeResponse> => eye.post('/events/', anEvent());
  const stored = (): Promise<number> =>
    eye
      .sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events')
      .then(([row]) => row?.stored ?? 0);
  /** Resolves once an event is accepted and stored. */
  const untilStoring = (): Promise<unknown> => eventually(() => eye.store(anEvent()));

  it('the worker stores events again after each of several Redis restarts', async () => {
    for (let time = 0; time < 3; time++) {
      await redis.stop();
      await eventually(async () => expectUnavailable(await send()));
      await redis.start();
      await untilStoring();
    }
  });

  describe('With Redis killed while events arrive', () => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.waitForResponses(202, 100);
      await redis.kill();
    });

    it('POST /events returns 503', async () => {
      await load.waitForResponses(503, 100);
      expectUnavailable(await send());
      expectUnavailable(await eye.post('/events/', [anEvent(), anEvent()]));
      expectUnavailable(await eye.post('/events/', anEvent(), { prefer: 'wait=5' }));
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('GET /events still returns 200', async () => {
      const { status, took } = await eye.get('/events/');
      expect(status).toBe(200);
      expect(took).toBeLessThan(onTime(1000));
    });

    it('every accepted event is stored after the restart, and new ones are accepted', async () => {
      await redis.start();
      await load.waitForResponses(202, 100);
      await load.expectStored();
      await untilStoring();
    });
  });

  describe('With Redis frozen', () => {
    let load: Load;
    beforeAll(async () => {
      await untilStoring();
      await redis.freeze();
    });

    it('POST /events returns 503', async () => {
      const sent = Array.from({ length: 50 }, send);
      load = Load.on(eye);
      const responses = await Promise.all(sent);
      for (const response of responses) expectUnavailable(response);
      // Redis may still process commands that were already sent, and no others.
      const details = new Set(responses.map(({ body }) => body.detail));
      expect([...details].some((detail) => detail.includes('may have been accepted'))).toBe(true);
      await load.waitForResponses(503, 100);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('POST /events fails fast after the first timeout', async () => {
      const { took, body } = await send();
      expect(took).toBeLessThan(onTime(500));
      expect(body.detail).toMatch('nothing was accepted');
    });

    it('every accepted event is stored after Redis resumes, and new ones are accepted', async () => {
      await redis.thaw();
      await load.waitForResponses(202, 100);
      await load.expectStored();
      await untilStoring();
    });
  });

  describe('With Redis full', () => {
    let before: number;
    let accepted = 0;
    beforeAll(async () => {
      before = await stored();
      // Without its table the worker stores nothing, so that Redis fills up.
      await eye.sql('ALTER TABLE events RENAME TO hidden');
      await redis.set({ maxmemory: String((await redis.usedMemory()) + 5_000_000) });
    });

    it('POST /events accepts an array of events completely or rejects it with 503', async () => {
      const large = (): unknown[] => Array.from({ length: 3000 }, () => anEvent());
      let refused = 0;
      for (let request = 0; request < 50; request++) {
        const response = await eye.post('/events/', large());
        if (response.status === 202) {
          expect(response.body).toMatchObject({ accepted: 3000, rejected: [] });
          accepted += 3000;
        } else {
          expectUnavailable(response, response.body.code);
          expect(response.body.detail).toMatch('nothing was accepted');
          refused++;
        }
      }
      expect(Math.min(accepted, refused)).toBeGreaterThan(0);
    });

    it('every accepted event and no rejected one is stored once memory is available, and new ones are accepted', async () => {
      await redis.set({ maxmemory: '0' });
      await eye.sql('ALTER TABLE hidden RENAME TO events');
      await eye.drained();
      expect((await stored()) - before).toBe(accepted);
      await untilStoring();
    });
  });

  describe('With Redis unavailable when The Eye starts', () => {
    beforeAll(async () => {
      await eye.end();
      await redis.stop();
      await eye.start();
    });

    it('POST /events returns 503 and GET /events returns 200', async () => {
      expectUnavailable(await send());
      expect((await eye.get('/events/')).status).toBe(200);
    });

    it('events are accepted and stored as soon as Redis is available', async () => {
      await redis.start();
      await untilStoring();
    });
  });

  it('The Eye stops cleanly while Redis is unavailable', async () => {
    await redis.stop();
    await eventually(async () => expectUnavailable(await send()));
    // The exit code would be 1 after 30 seconds.
    const code = await eye.end();
    expect({ code, output: code === 0 ? '' : eye.output }).toEqual({ code: 0, output: '' });
    await redis.start();
    await eye.start();
    await untilStoring();
  });
});

describe('A Redis user with the documented permissions', () => {
  /** As in docs/operations.md. */
  const PERMISSIONS =
    'resetkeys ~the-eye:* resetchannels &the-eye:* nocommands +@read +@write +@scripting +@transaction +@pubsub +@connection -@dangerous -script +role';
  let redis: OwnRedis;
  let eye: TheEye;
  beforeAll(async () => {
    redis = await OwnRedis.start();
    await redis.command('ACL', 'SETUSER', 'eye', 'on', '>first-secret', ...PERMISSIONS.split(' '));
    eye = await startEye({ REDIS_URL: `${redis.url}?username=eye&password=second-secret` });
  });
  afterAll(async () => {
    await eye.close();
    await redis.close();
  });

  const send = (): Promise<EyeResponse> => eye.post('/events/', anEvent());
  const reason = async (): Promise<string> => (await eye.get('/health/ready')).body.checks.redis.reason;
  const setPassword = (password: string): Promise<unknown> =>
    redis.command('ACL', 'SETUSER', 'eye', 'resetpass', `>${password}`);

  it('whose password is wrong at the start makes The Eye respond 503 and name the setting, until the password is right', async () => {
    await eventually(async () => expect(await reason()).toMatch('REDIS_URL (WRONGPASS)'));
    expectUnavailable(await send());
    await setPassword('second-secret');
    await eventually(() => eye.store(anEvent()));
  });

  it('whose password is rotated makes The Eye respond 503 until it has the right one again', async () => {
    await setPassword('first-secret');
    await redis.command('CLIENT', 'KILL', 'USER', 'eye');
    await eventually(async () => expect(await reason()).toMatch('REDIS_URL (WRONGPASS)'));
    expectUnavailable(await send());
    await setPassword('second-secret');
    await eventually(() => eye.store(anEvent()));
  });

  it('makes The Eye accept no event while its Redis is demoted to a replica', async () => {
    await redis.demote();
    await eventually(async () => expect(await reason()).toMatch('READONLY'));
    expectUnavailable(await send());
    await redis.promote();
    await eventually(() => eye.store(anEvent()));
    await eye.drained();
  });

  it('is all that The Eye and its queue board need: nothing else is denied but INFO, CONFIG and CLIENT LIST, and each outage is logged once', async () => {
    await eye.get('/events/stream', { accept: 'application/json' });
    expect((await eye.get('/statistics/rates/')).status).toBe(200);
    const { status, body } = await eye.get('/queues/api/queues');
    expect({ status, queues: body.queues?.map(({ name }: { name: string }) => name) }).toEqual({
      status: 200,
      queues: ['ingestion'],
    });
    const denied = (await redis.command('ACL', 'LOG')) as string[][];
    const objects = denied
      .map((entry) => entry[entry.indexOf('object') + 1])
      .filter((object) => object !== 'auth' && object !== 'AUTH');
    expect([...new Set(objects)].sort()).toEqual(['client|list', 'config|get', 'info']);
    const lines = (text: string): number => eye.output.split(text).length - 1;
    expect(lines('(WRONGPASS)')).toBe(2);
    expect(lines('(READONLY)')).toBe(1);
    expect(lines('may not read these settings of Redis: appendonly, appendfsync, maxmemory-policy')).toBe(1);
    expect(eye.output).not.toMatch('-secret');
  });
});

describe('An external Redis', () => {
  let postgres: OwnPostgres;
  let redis: OwnRedis;
  beforeAll(async () => {
    [postgres, redis] = await Promise.all([OwnPostgres.start(), OwnRedis.start()]);
  });
  afterAll(() => Promise.all([postgres.close(), redis.close()]));

  const startMessage = async (): Promise<string> => {
    const eye = await startEye({ DATABASE_URL: postgres.url, REDIS_URL: redis.url });
    await eye.close();
    return eye.output;
  };

  it.each([
    [{ appendonly: 'no' }, 'appendonly is "no": accepted events are LOST when Redis stops.'],
    [{ appendfsync: 'everysec' }, 'appendfsync is "everysec": events accepted in the last second are LOST'],
    [{ appendfsync: 'no' }, 'appendfsync is "no": events accepted in the last second are LOST'],
    [{ 'maxmemory-policy': 'allkeys-lru' }, 'maxmemory-policy is "allkeys-lru": a full Redis DELETES'],
  ])('with the settings %j makes The Eye log a durability warning at start', async (settings, warning) => {
    await redis.set(settings);
    const output = await startMessage();
    await redis.set({ appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' });
    expect(output).toMatch(`!!! Redis is not durable: ${inLog(warning)}`);
    expect(output.match(/!!!/g)).toHaveLength(1);
  });

  it('with durable settings makes The Eye log no warning at start', async () => {
    expect(await startMessage()).not.toMatch(/"level":"(?:warn|error|fatal)"|!!!/);
  });
});

describe('BACKLOG_LIMIT', () => {
  let api: TheEye;
  beforeAll(async () => void (api = await startEye({ ROLE: 'api', BACKLOG_LIMIT: '500' })));
  afterAll(() => api.close());

  const send = (): Promise<EyeResponse> => api.post('/events/', anEvent());

  it('makes POST /events and GET /health/ready return 503 when it is reached', async () => {
    const load = Load.on(api);
    await load.waitForResponses(503, 20);
    await load.stop();
    expectUnavailable(await send(), 'backlog_full');
    expectUnavailable(await api.post('/events/', [anEvent()]), 'backlog_full');
    expect(load.accepted).toBeGreaterThanOrEqual(500);
    // Requests in progress when the limit is reached may still be accepted.
    expect(load.accepted).toBeLessThan(1000);
    await eventually(async () => {
      const { status, body } = await api.get('/health/ready');
      expect({ status, backlog: body.checks.backlog }).toEqual({
        status: 503,
        backlog: { status: 'down', events: load.accepted },
      });
    });

    const worker = await api.startPeer({ ROLE: 'worker' });
    await load.expectStored();
    await worker.end();
  });

  it('lets POST /events accept events again once a worker has stored the backlog', async () => {
    await eventually(async () => expect((await send()).status).toBe(202));
    expect((await api.get('/health/ready')).status).toBe(200);
  });
});
