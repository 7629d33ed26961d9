import { setTimeout as wait } from 'node:timers/promises';
import { Problem } from '../platform/http/problem.js';
import { KeyQuota, type Taken } from './key-quota.js';

/** A count for all processes, in memory, that answers a moment later as Redis does. */
class Count {
  calls = 0;
  taken = 0;
  away = false;
  private ends = 0;

  constructor(
    private readonly limit: number,
    private readonly window = 60_000,
  ) {}

  async take(points: number): Promise<Taken> {
    this.calls++;
    await wait(1);
    if (this.away) throw new Error('Redis is away.');
    if (Date.now() >= this.ends) {
      this.taken = 0;
      this.ends = Date.now() + this.window;
    }
    const fits = this.taken + points <= this.limit;
    if (fits) this.taken += points;
    return { taken: fits ? points : 0, remaining: this.limit - this.taken, ends: this.ends };
  }

  quota(): KeyQuota {
    return new KeyQuota(this.limit, this.window, (points) => this.take(points));
  }
}

const passes = async (quota: KeyQuota, points = 1): Promise<boolean> => {
  try {
    await quota.take(points);
    return true;
  } catch (error) {
    if (error instanceof Problem && error.code === 'rate_limited') return false;
    throw error;
  }
};

const passed = async (tries: Promise<boolean>[]): Promise<number> =>
  (await Promise.all(tries)).filter(Boolean).length;

describe('the quota of a key', () => {
  it.each([1, 7, 30, 49])('of %i a window lets so many pass, one by one or at once', async (limit) => {
    let one = 0;
    const slow = new Count(limit).quota();
    for (let i = 0; i < limit + 10; i++) if (await passes(slow)) one++;
    const fast = new Count(limit).quota();
    const atOnce = await passed(Array.from({ length: limit + 10 }, () => passes(fast)));
    expect([one, atOnce]).toEqual([limit, limit]);
  });

  it('is shared to the point by processes that are slow', async () => {
    const count = new Count(40);
    const quotas = [count.quota(), count.quota(), count.quota()];
    let all = 0;
    for (let i = 0; i < 60; i++) if (await passes(quotas[i % 3] as KeyQuota)) all++;
    expect(all).toBe(40);
  });

  it('never gives out more than the limit, however busy its processes are', async () => {
    const count = new Count(5000);
    const quotas = [count.quota(), count.quota()];
    let all = 0;
    for (let round = 0; round < 100; round++) {
      const tries = Array.from({ length: 80 }, (_, i) => passes(quotas[i % 2] as KeyQuota));
      all += await passed(tries);
    }
    expect(all).toBeLessThanOrEqual(5000);
    expect(all).toBeGreaterThan(4800);
  });

  it('asks the count for all seldom while it is busy, and mostly needs no promise', async () => {
    const count = new Count(1_000_000);
    const quota = count.quota();
    let promises = 0;
    const began = Date.now();
    while (Date.now() - began < 500) {
      for (let i = 0; i < 20; i++) {
        const taken = quota.take(1);
        if (taken) promises++;
        await taken;
      }
      await wait(1);
    }
    // Every 50 ms, and a few to find out how busy it is.
    expect(count.calls).toBeLessThan(40);
    expect(promises).toBeLessThan(40);
    expect(count.taken).toBeGreaterThan(2000);
  });

  it('refuses what does not fit and counts nothing of it, so that less still passes', async () => {
    const quota = new Count(10).quota();
    expect(await passes(quota, 4)).toBe(true);
    expect(await passes(quota, 7)).toBe(false);
    expect(await passes(quota, 6)).toBe(true);
    expect(await passes(quota, 1)).toBe(false);
  });

  it('says so in advance once it is used up, without asking', async () => {
    const count = new Count(2);
    const quota = count.quota();
    await quota.take(2);
    const { calls } = count;
    expect(() => quota.take(1)).toThrow(Problem);
    expect(count.calls).toBe(calls);
  });

  it('says what is left, and when to come again', async () => {
    const quota = new Count(2).quota();
    await quota.take(1);
    expect(quota.headers()).toEqual({
      'ratelimit-policy': '"events";q=2;w=60',
      ratelimit: '"events";r=1;t=60',
    });
    await quota.take(1);
    expect(() => quota.take(1)).toThrow(
      expect.objectContaining({
        status: 429,
        headers: {
          'retry-after': '60',
          'ratelimit-policy': '"events";q=2;w=60',
          ratelimit: '"events";r=0;t=60',
        },
      }),
    );
  });

  it('begins anew with each window, with nothing kept from the one before', async () => {
    const count = new Count(60, 200);
    const quota = count.quota();
    for (let i = 0; i < 40; i++) await quota.take(1);
    await wait(220);
    expect(await passed(Array.from({ length: 100 }, () => passes(quota)))).toBe(60);
  });

  it('lets all pass while the count cannot be asked, and counts again afterwards', async () => {
    const count = new Count(3);
    count.away = true;
    const quota = count.quota();
    expect(await passed(Array.from({ length: 100 }, () => passes(quota)))).toBe(100);
    expect(count.calls).toBe(1);
    count.away = false;
    await wait(1050);
    expect(await passed(Array.from({ length: 10 }, () => passes(quota)))).toBe(3);
  });
});
