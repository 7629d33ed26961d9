import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('GET /statistics/rates', () => {
  let eye: TheEye;
  let other: TheEye;
  beforeAll(async () => {
    eye = await startEye({ ROLE: 'api' });
    other = await eye.startPeer();
  });
  afterAll(async () => {
    await other.end();
    await eye.close();
  });

  const rates = async (from = eye): Promise<any> => (await from.get('/statistics/rates/')).body;
  const sum = (numbers: number[]): number => numbers.reduce((total, number) => total + number, 0);
  const sums = ({ accepted, stored, duplicates, refused }: any): number[] =>
    [accepted, stored, duplicates, refused].map(sum);

  it('returns the exact sums of all processes', async () => {
    expect(sums(await rates())).toEqual([0, 0, 0, 0]);
    const event = anEvent();
    const began = Date.now();
    await eye.post('/events/', event);
    await eye.drained();
    // One event that is already stored, one new event sent twice, and two that are refused.
    await other.post('/events/', [
      event,
      anEvent({ session_id: 'twice' }),
      anEvent({ session_id: 'twice' }),
      {},
      7,
    ]);
    await other.store(anEvent());
    await eye.store(event);
    await eye.post('/events/', 'x');
    await eventually(async () => expect(sums(await rates())).toEqual([5, 3, 2, 3]));
    const otherRates = await rates(other);
    expect(sums(otherRates)).toEqual([5, 3, 2, 3]);
    expect(otherRates.seconds).toBe(300);
    for (const name of ['accepted', 'stored', 'duplicates', 'refused']) {
      expect(otherRates[name]).toHaveLength(300);
      const end = Date.parse(otherRates.now);
      const seconds = (otherRates[name] as number[]).flatMap((count, at) =>
        count > 0 ? [end - (300 - at) * 1000] : [],
      );
      expect(seconds.every((second) => second > began - 1000 && second < end)).toBe(true);
    }
    expect(otherRates.backlog).toEqual({ events: 0, jobs: 0, oldest_seconds: null });
  });

  it('reports the size of the backlog and the age of its oldest job', async () => {
    await eye.sql('ALTER TABLE events RENAME TO hidden');
    try {
      for (let job = 0; job < 3; job++) await eye.post('/events/', [anEvent(), anEvent()]);
      const before = await eventually(async () => {
        const { backlog } = await rates();
        expect(backlog).toMatchObject({ events: 6, jobs: 3, oldest_seconds: expect.any(Number) });
        return backlog;
      });
      await eventually(async () =>
        expect((await rates()).backlog.oldest_seconds).toBeGreaterThan(before.oldest_seconds + 0.9),
      );
    } finally {
      await eye.sql('ALTER TABLE hidden RENAME TO events');
    }
    await eventually(async () => expect((await rates()).backlog.jobs).toBe(0), 60_000);
  });

  it('leaves only keys with a TTL in Redis', async () => {
    const ttls = await eye.redis(async (redis) => {
      const keys = await redis.keys('the-eye:pulse:*');
      return Promise.all(keys.map((key) => redis.ttl(key)));
    });
    expect(ttls.length).toBeGreaterThan(0);
    for (const ttl of ttls) expect(ttl).toBeGreaterThan(0);
  });

  it('rejects an unknown parameter', async () => {
    const { status, body } = await eye.get('/statistics/rates?seconds=3');
    expect([status, body.errors]).toEqual([400, { seconds: ['Unknown parameter.'] }]);
  });
});
