import { setTimeout as wait } from 'node:timers/promises';
import { DomainError } from '../platform/errors/domain-error.js';
import { KeyQuota, type SharedPoints } from './key-quota.js';

/** A shared counter in memory. Like Redis, it replies asynchronously. */
class Counter {
  calls = 0;
  taken = 0;
  isAway = false;
  /** Milliseconds until a call replies. */
  delayMs = 1;
  /** The reasons of the requests that passed uncounted. */
  readonly uncounted: string[] = [];
  private windowEndsAt = 0;

  constructor(
    private readonly limit: number,
    private readonly windowMs = 60_000,
  ) {}

  take(points: number): Promise<SharedPoints> {
    return this.call(points, (taken) => taken + points <= this.limit);
  }

  charge(points: number): Promise<SharedPoints> {
    return this.call(points, () => true);
  }

  quota(): KeyQuota {
    return new KeyQuota(this.limit, this.windowMs, this, (reason) => this.uncounted.push(reason));
  }

  private async call(points: number, fits: (taken: number) => boolean): Promise<SharedPoints> {
    this.calls++;
    await wait(this.delayMs);
    if (this.isAway) throw new Error('Redis is not available.');
    if (Date.now() >= this.windowEndsAt) {
      this.taken = 0;
      this.windowEndsAt = Date.now() + this.windowMs;
    }
    const taken = fits(this.taken) ? points : 0;
    this.taken += taken;
    return {
      taken,
      remaining: Math.max(0, this.limit - this.taken),
      windowEndsAt: this.windowEndsAt,
    };
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

const until = async (isTrue: () => boolean): Promise<void> => {
  const holds = (): boolean => {
    try {
      return isTrue();
    } catch {
      return false;
    }
  };
  while (!holds()) await wait(1);
};

describe('KeyQuota', () => {
  it.each([1, 7, 30, 49])(
    'grants exactly %i points in a window, sequentially and concurrently',
    async (limit) => {
      let one = 0;
      const slow = new Counter(limit).quota();
      for (let i = 0; i < limit + 10; i++) if (await passes(slow)) one++;
      const fast = new Counter(limit).quota();
      const atOnce = await passed(Array.from({ length: limit + 10 }, () => passes(fast)));
      expect([one, atOnce]).toEqual([limit, limit]);
    },
  );

  it('is exact across processes that send slowly', async () => {
    const counter = new Counter(40);
    const quotas = [counter.quota(), counter.quota(), counter.quota()];
    let all = 0;
    for (let i = 0; i < 60; i++) if (await passes(quotas[i % 3] as KeyQuota)) all++;
    expect(all).toBe(40);
  });

  it('never grants more than the limit to busy processes', async () => {
    const counter = new Counter(5000);
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
    const counter = new Counter(1_000_000);
    const quota = counter.quota();
    let promises = 0;
    const began = Date.now();
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 20; i++) {
        const taken = quota.take(1);
        if (taken) promises++;
        await taken;
      }
      await wait(1);
    }
    // One call every 50 ms however long the rounds take, and a few until the reservation fits the use.
    const few = 20 + (2 * (Date.now() - began)) / 50;
    expect(counter.calls).toBeLessThan(few);
    expect(promises).toBeLessThan(few);
    expect(counter.taken).toBeGreaterThanOrEqual(4000);
  });

  it('counts nothing of a request that does not fit, so that a smaller one still passes', async () => {
    const quota = new Counter(10).quota();
    expect(await passes(quota, 4)).toBe(true);
    expect(await passes(quota, 7)).toBe(false);
    expect(await passes(quota, 6)).toBe(true);
    expect(await passes(quota, 1)).toBe(false);
  });

  it('rejects without calling the shared counter once it is used up', async () => {
    const counter = new Counter(2);
    const quota = counter.quota();
    await quota.take(2);
    const { calls } = counter;
    expect(() => quota.take(1)).toThrow(DomainError);
    expect(counter.calls).toBe(calls);
  });

  it('reports the points left and the seconds until a retry', async () => {
    const quota = new Counter(2).quota();
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
    const counter = new Counter(60, 200);
    const quota = counter.quota();
    for (let i = 0; i < 40; i++) await quota.take(1);
    await wait(220);
    expect(await passed(Array.from({ length: 100 }, () => passes(quota)))).toBe(60);
  });

  it('grants everything while the shared counter fails, and counts again afterwards', async () => {
    const counter = new Counter(3);
    counter.isAway = true;
    const quota = counter.quota();
    expect(await passed(Array.from({ length: 100 }, () => passes(quota)))).toBe(100);
    expect(counter.calls).toBe(1);
    expect(counter.uncounted).toEqual(Array.from({ length: 100 }, () => 'away'));
    counter.isAway = false;
    await wait(300);
    expect(await passed(Array.from({ length: 10 }, () => passes(quota)))).toBe(3);
  });

  it('lets only the requests pass that waited too long for a late reply, and counts them', async () => {
    const counter = new Counter(5);
    const quota = counter.quota();
    counter.delayMs = 400;
    expect(await passed([passes(quota), passes(quota), passes(quota)])).toBe(3);
    expect(counter.uncounted).toEqual(['late', 'late', 'late']);
    counter.delayMs = 1;
    expect(await passed(Array.from({ length: 10 }, () => passes(quota)))).toBe(2);
    expect(counter.taken).toBe(5);
  });

  it('does not take a reply for late that arrives while this process is busy', async () => {
    const counter = new Counter(5);
    const quota = counter.quota();
    const taken = quota.take(5);
    const busyUntil = Date.now() + 300;
    while (Date.now() < busyUntil);
    await taken;
    expect(counter.uncounted).toEqual([]);
    expect(await passes(quota)).toBe(false);
  });
});

describe('KeyQuota.charge', () => {
  it('counts points in the window of all processes', async () => {
    const counter = new Counter(10);
    const [one, other] = [counter.quota(), counter.quota()];
    one.charge(3.2);
    one.charge(2);
    await until(() => counter.taken === 6);
    expect(await passed(Array.from({ length: 10 }, () => passes(other)))).toBe(4);
  });

  it('may use more than is left, so that requests are refused until the window ends', async () => {
    const counter = new Counter(10, 200);
    const quota = counter.quota();
    await quota.take(9);
    quota.charge(50);
    expect(await passes(quota)).toBe(false);
    await until(() => counter.taken === 59);
    expect(await passes(counter.quota())).toBe(false);
    expect(quota.headers().ratelimit).toMatch(/r=0/);
    await wait(220);
    expect(await passes(quota, 10)).toBe(true);
  });

  it('pays with reserved points first', async () => {
    const counter = new Counter(1000);
    const quota = counter.quota();
    for (let i = 0; i < 20; i++) await quota.take(1);
    const { taken, calls } = counter;
    const reserved = taken - 20;
    expect(reserved).toBeGreaterThan(0);
    quota.charge(reserved);
    expect(counter.calls).toBe(calls);
    expect(quota.headers().ratelimit).toBe(`"events";r=${1000 - taken};t=60`);
  });

  it('shares one call among the charges that arrive during another', async () => {
    const counter = new Counter(1000);
    const quota = counter.quota();
    for (let i = 0; i < 50; i++) quota.charge(1);
    await until(() => counter.taken === 50);
    expect(counter.calls).toBe(2);
  });

  it('never throws and never blocks a key for long while the shared counter fails', async () => {
    const counter = new Counter(10, 200);
    counter.isAway = true;
    const quota = counter.quota();
    quota.charge(100);
    await until(() => quota.take(1) === undefined);
    counter.isAway = false;
    await wait(520);
    expect(await passes(quota, 10)).toBe(true);
  });
});
