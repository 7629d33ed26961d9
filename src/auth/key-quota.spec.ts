import { setTimeout as wait } from 'node:timers/promises';
import { DomainError } from '../platform/errors/domain-error.js';
import { KeyQuota, type TakenPoints } from './key-quota.js';

/** A shared counter in memory. Like Redis, it replies asynchronously. */
class SharedCounter {
  calls = 0;
  taken = 0;
  isAway = false;
  private windowEndsAt = 0;

  constructor(
    private readonly limit: number,
    private readonly windowMs = 60_000,
  ) {}

  async take(points: number): Promise<TakenPoints> {
    this.calls++;
    await wait(1);
    if (this.isAway) throw new Error('Redis is not available.');
    if (Date.now() >= this.windowEndsAt) {
      this.taken = 0;
      this.windowEndsAt = Date.now() + this.windowMs;
    }
    const fits = this.taken + points <= this.limit;
    if (fits) this.taken += points;
    return { taken: fits ? points : 0, remaining: this.limit - this.taken, windowEndsAt: this.windowEndsAt };
  }

  quota(): KeyQuota {
    return new KeyQuota(this.limit, this.windowMs, (points) => this.take(points));
  }
}

const passes = async (quota: KeyQuota, points = 1): Promise<boolean> => {
  try {
    await quota.take(points);
    return true;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'rate_limited') return false;
    throw error;
  }
};

const passed = async (tries: Promise<boolean>[]): Promise<number> =>
  (await Promise.all(tries)).filter(Boolean).length;

describe('KeyQuota', () => {
  it.each([1, 7, 30, 49])(
    'grants exactly %i points in a window, sequentially and concurrently',
    async (limit) => {
      let one = 0;
      const slow = new SharedCounter(limit).quota();
      for (let i = 0; i < limit + 10; i++) if (await passes(slow)) one++;
      const fast = new SharedCounter(limit).quota();
      const atOnce = await passed(Array.from({ length: limit + 10 }, () => passes(fast)));
      expect([one, atOnce]).toEqual([limit, limit]);
    },
  );

  it('is exact across processes that send slowly', async () => {
    const counter = new SharedCounter(40);
    const quotas = [counter.quota(), counter.quota(), counter.quota()];
    let all = 0;
    for (let i = 0; i < 60; i++) if (await passes(quotas[i % 3] as KeyQuota)) all++;
    expect(all).toBe(40);
  });

  it('never grants more than the limit to busy processes', async () => {
    const counter = new SharedCounter(5000);
    const quotas = [counter.quota(), counter.quota()];
    let all = 0;
    for (let round = 0; round < 100; round++) {
      const tries = Array.from({ length: 80 }, (_, i) => passes(quotas[i % 2] as KeyQuota));
      all += await passed(tries);
    }
    expect(all).toBeLessThanOrEqual(5000);
    expect(all).toBeGreaterThan(4800);
  });

  it('rarely calls the shared counter and rarely returns a promise while the key is busy', async () => {
    const counter = new SharedCounter(1_000_000);
    const quota = counter.quota();
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
    // One call every 50 ms, and a few until the lease fits the use.
    expect(counter.calls).toBeLessThan(40);
    expect(promises).toBeLessThan(40);
    expect(counter.taken).toBeGreaterThan(2000);
  });

  it('counts nothing of a request that does not fit, so that a smaller one still passes', async () => {
    const quota = new SharedCounter(10).quota();
    expect(await passes(quota, 4)).toBe(true);
    expect(await passes(quota, 7)).toBe(false);
    expect(await passes(quota, 6)).toBe(true);
    expect(await passes(quota, 1)).toBe(false);
  });

  it('rejects without calling the shared counter once it is used up', async () => {
    const counter = new SharedCounter(2);
    const quota = counter.quota();
    await quota.take(2);
    const { calls } = counter;
    expect(() => quota.take(1)).toThrow(DomainError);
    expect(counter.calls).toBe(calls);
  });

  it('reports the points left and the seconds until a retry', async () => {
    const quota = new SharedCounter(2).quota();
    await quota.take(1);
    expect(quota.headers()).toEqual({
      'ratelimit-policy': '"events";q=2;w=60',
      ratelimit: '"events";r=1;t=60',
    });
    await quota.take(1);
    expect(() => quota.take(1)).toThrow(
      expect.objectContaining({ kind: 'rate_limited', code: 'rate_limited', retryAfterSeconds: 60 }),
    );
    expect(quota.headers()).toEqual({
      'ratelimit-policy': '"events";q=2;w=60',
      ratelimit: '"events";r=0;t=60',
    });
  });

  it('grants the full limit in each window and drops unused points of the one before', async () => {
    const counter = new SharedCounter(60, 200);
    const quota = counter.quota();
    for (let i = 0; i < 40; i++) await quota.take(1);
    await wait(220);
    expect(await passed(Array.from({ length: 100 }, () => passes(quota)))).toBe(60);
  });

  it('grants everything while the shared counter fails, and counts again afterwards', async () => {
    const counter = new SharedCounter(3);
    counter.isAway = true;
    const quota = counter.quota();
    expect(await passed(Array.from({ length: 100 }, () => passes(quota)))).toBe(100);
    expect(counter.calls).toBe(1);
    counter.isAway = false;
    await wait(1050);
    expect(await passed(Array.from({ length: 10 }, () => passes(quota)))).toBe(3);
  });
});
