import { Load } from '../support/load.js';
import { OwnPostgres, OwnRedis } from '../support/servers.js';
import { anEvent, type Answer, eventually, inLog, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

/** A sender is told at once, in a form that programs understand, that he may try again. */
function expectRefusal({ status, headers, body, took }: Answer, code = 'queue_unavailable'): void {
  expect({ status, code: body.code }).toEqual({ status: 503, code });
  expect(headers.get('retry-after')).toMatch(/^\d+$/);
  expect(headers.get('content-type')).toMatch('application/problem+json');
  expect(took).toBeLessThan(onTime(2000));
}

describe('Redis', () => {
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

  const send = (): Promise<Answer> => eye.post('/events/', anEvent());
  const stored = (): Promise<number> =>
    eye
      .sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events')
      .then(([row]) => row?.stored ?? 0);
  /** The whole way works: from the request into the table. */
  const good = (): Promise<unknown> => eventually(() => eye.store(anEvent()), 20_000);

  it('that went and came back several times finds the worker at work each time', async () => {
    for (let time = 0; time < 3; time++) {
      await redis.stop();
      await eventually(async () => expectRefusal(await send()));
      await redis.start();
      await good();
    }
  });

  describe('that is killed while events arrive', () => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.answered(202, 100);
      await redis.kill();
    });

    it('lets every sender be answered 503 within two seconds', async () => {
      await load.answered(503, 100);
      expectRefusal(await send());
      expectRefusal(await eye.post('/events/', [anEvent(), anEvent()]));
      expectRefusal(await eye.post('/events/', anEvent(), { prefer: 'wait=5' }));
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('does not keep anybody from reading', async () => {
      const { status, took } = await eye.get('/events/');
      expect(status).toBe(200);
      expect(took).toBeLessThan(onTime(1000));
    });

    it('gives out every event that was accepted once it is back, within half a minute, and takes new ones', async () => {
      await redis.start();
      await load.answered(202, 100);
      await load.expectStored();
      await good();
    });
  });

  describe('that has stopped answering', () => {
    let load: Load;
    beforeAll(async () => {
      load = Load.on(eye);
      await load.answered(202, 100);
      await redis.freeze();
    });

    it('lets every sender be answered 503 within two seconds', async () => {
      const answers = await Promise.all(Array.from({ length: 50 }, send));
      for (const answer of answers) expectRefusal(answer);
      // Redis may still take what it was given, and nothing else.
      const details = new Set(answers.map(({ body }) => body.detail));
      expect([...details].some((detail) => detail.includes('may have been accepted'))).toBe(true);
      await load.answered(503, 100);
      expect(load.longest).toBeLessThan(onTime(2000));
    });

    it('keeps nobody waiting after the first who noticed it', async () => {
      const { took, body } = await send();
      expect(took).toBeLessThan(onTime(500));
      expect(body.detail).toMatch('nothing was accepted');
    });

    it('gives out every event that was accepted once it answers again, and takes new ones', async () => {
      await redis.thaw();
      await load.answered(202, 100);
      await load.expectStored();
      await good();
    });
  });

  describe('that is full', () => {
    let before: number;
    let accepted = 0;
    beforeAll(async () => {
      before = await stored();
      // Without its table the worker stores nothing, so that Redis fills up.
      await eye.sql('ALTER TABLE events RENAME TO hidden');
      await redis.set({ maxmemory: String((await redis.usedMemory()) + 5_000_000) });
    });

    it('takes an array of events as a whole, or not at all with 503', async () => {
      const large = (): unknown[] => Array.from({ length: 3000 }, () => anEvent());
      let refused = 0;
      for (let request = 0; request < 50; request++) {
        const answer = await eye.post('/events/', large());
        if (answer.status === 202) {
          expect(answer.body).toMatchObject({ accepted: 3000, rejected: [] });
          accepted += 3000;
        } else {
          expectRefusal(answer, answer.body.code);
          expect(answer.body.detail).toMatch('nothing was accepted');
          refused++;
        }
      }
      expect(Math.min(accepted, refused)).toBeGreaterThan(0);
    });

    it('gives out every event that was accepted and none that was refused, and takes new ones again', async () => {
      await redis.set({ maxmemory: '0' });
      await eye.sql('ALTER TABLE hidden RENAME TO events');
      await eye.drained();
      expect((await stored()) - before).toBe(accepted);
      await good();
    });
  });

  describe('that is away when The Eye starts', () => {
    beforeAll(async () => {
      await eye.end();
      await redis.stop();
      await eye.start();
    });

    it('lets senders be answered 503, and readers be answered', async () => {
      expectRefusal(await send());
      expect((await eye.get('/events/')).status).toBe(200);
    });

    it('makes The Eye good as soon as it comes', async () => {
      await redis.start();
      await good();
    });
  });

  it('that is away does not keep The Eye from stopping in seconds', async () => {
    await redis.stop();
    await eventually(async () => expectRefusal(await send()));
    const began = Date.now();
    const code = await eye.end();
    expect({ code, output: code === 0 ? '' : eye.output }).toEqual({ code: 0, output: '' });
    expect(Date.now() - began).toBeLessThan(5000);
    await redis.start();
    await eye.start();
    await good();
  });
});

describe('A Redis of your own', () => {
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
  ])('with %j makes The Eye warn at start', async (settings, warning) => {
    await redis.set(settings);
    const output = await startMessage();
    await redis.set({ appendonly: 'yes', appendfsync: 'always', 'maxmemory-policy': 'noeviction' });
    expect(output).toMatch(`!!! Redis is not durable: ${inLog(warning)}`);
    expect(output.match(/!!!/g)).toHaveLength(1);
  });

  it('that is durable makes it say nothing', async () => {
    expect(await startMessage()).not.toMatch(/"level":"(?:warn|error|fatal)"|!!!/);
  });
});

describe('The backlog', () => {
  let api: TheEye;
  beforeAll(async () => void (api = await startEye({ ROLE: 'api', BACKLOG_LIMIT: '500' })));
  afterAll(() => api.close());

  const send = (): Promise<Answer> => api.post('/events/', anEvent());

  it('past BACKLOG_LIMIT takes nothing more, and says so', async () => {
    const load = Load.on(api);
    await load.answered(503, 20);
    await load.stop();
    expectRefusal(await send(), 'backlog_full');
    expectRefusal(await api.post('/events/', [anEvent()]), 'backlog_full');
    expect(load.accepted).toBeGreaterThanOrEqual(500);
    // What is under way when the limit is reached may still pass.
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

  it('takes events again once a worker has stored what waited', async () => {
    await eventually(async () => expect((await send()).status).toBe(202));
    expect((await api.get('/health/ready')).status).toBe(200);
  });
});
