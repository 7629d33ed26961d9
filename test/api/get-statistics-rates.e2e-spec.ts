import { setTimeout as wait } from 'node:timers/promises';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

describe('The rates', () => {
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

  it('are those of all processes together, to the event', async () => {
    expect(sums(await rates())).toEqual([0, 0, 0, 0]);
    const event = anEvent();
    const began = Date.now();
    await eye.post('/events/', event);
    await eye.drained();
    // One that is stored already, one that is new, twice, and two that are refused.
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
    const shown = await rates(other);
    expect(sums(shown)).toEqual([5, 3, 2, 3]);
    expect(shown.seconds).toBe(300);
    for (const name of ['accepted', 'stored', 'duplicates', 'refused']) {
      expect(shown[name]).toHaveLength(300);
      const end = Date.parse(shown.now);
      const seconds = (shown[name] as number[]).flatMap((count, at) =>
        count > 0 ? [end - (300 - at) * 1000] : [],
      );
      expect(seconds.every((second) => second > began - 1000 && second < end)).toBe(true);
    }
    expect(shown.backlog).toEqual({ events: 0, jobs: 0, oldest_seconds: null });
  });

  it('say how much waits, and since when', async () => {
    await eye.sql('ALTER TABLE events RENAME TO hidden');
    try {
      for (let job = 0; job < 3; job++) await eye.post('/events/', [anEvent(), anEvent()]);
      const before = await eventually(async () => {
        const { backlog } = await rates();
        expect(backlog).toMatchObject({ events: 6, jobs: 3, oldest_seconds: expect.any(Number) });
        return backlog;
      });
      await wait(1000);
      expect((await rates()).backlog.oldest_seconds).toBeGreaterThan(before.oldest_seconds + 0.9);
    } finally {
      await eye.sql('ALTER TABLE hidden RENAME TO events');
    }
    await eventually(async () => expect((await rates()).backlog.jobs).toBe(0), 20_000);
  });

  it('leave nothing behind in Redis that stays', async () => {
    const lives = await eye.redis(async (redis) => {
      const keys = await redis.keys('the-eye:pulse:*');
      return Promise.all(keys.map((key) => redis.ttl(key)));
    });
    expect(lives.length).toBeGreaterThan(0);
    for (const life of lives) expect(life).toBeGreaterThan(0);
  });

  it('name what they do not understand', async () => {
    const { status, body } = await eye.get('/statistics/rates?seconds=3');
    expect([status, body.errors]).toEqual([400, { seconds: ['Unknown parameter.'] }]);
  });
});
