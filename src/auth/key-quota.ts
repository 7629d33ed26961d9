import { rateLimited } from './auth-errors.js';
import type { Quota } from './caller.js';

/** The counter of a key that all processes share. Its calls reject while it is unavailable. */
export interface SharedCounter {
  /** Takes all the points or none. */
  take(points: number): Promise<SharedPoints>;
  /** Takes all the points, also beyond the limit. */
  charge(points: number): Promise<SharedPoints>;
}

/** A reply of the shared counter. */
export interface SharedPoints {
  /** All the points that were requested, or 0. */
  taken: number;
  /** Points left in the window, zero or more. */
  remaining: number;
  /** Milliseconds since the epoch. */
  windowEndsAt: number;
}

/** The use for which a process leases points in advance. */
const LEASE_MS = 50;

/** The part of the remaining points that a process leases in advance at most, so that others find few of them unusable. */
const MAX_LEASE_SHARE = 1 / 50;

/** A request waits this long for the shared counter at most, so that its response comes within two seconds. */
const TAKE_TIMEOUT_MS = 250;

/** How long all requests pass after a call of the shared counter failed. */
const FAIL_OPEN_MS = 250;

/** Two ends that are further apart belong to two windows. */
const SAME_WINDOW_TOLERANCE_MS = 1000;

/**
 * The quota of one key in this process. It leases points from the shared counter: those that are needed now, and about as
 * many as were used in the last LEASE_MS. A busy key therefore costs a few calls a second and rarely a promise, and a slow
 * key is counted exactly. While Redis replies in time, all processes together never take more than `limit` points in a
 * window. When a reply is late, the requests that waited for it pass and are charged afterwards. Nothing is counted only
 * while Redis is away.
 *
 * rate-limiter-flexible has no leases: each of its limiters calls the store for every request. Its cache of blocked keys
 * (`inMemoryBlockOnConsumed`) rejects small requests after a large one did not fit, and its `insuranceLimiter` counts in
 * each process separately.
 */
export class KeyQuota implements Quota {
  private leased = 0;
  /** Points left for all processes at the last reply. The true number only falls until the window ends. */
  private remaining: number;
  /** Milliseconds since the epoch; 0 before the first reply of a window. */
  private windowEndsAt = 0;
  /** Points used since `usedSince`, and scaled to LEASE_MS in the period before. */
  private used = 0;
  private usedSince = 0;
  private usedBefore = 0;
  /** Points of the requests that wait for a lease. */
  private awaited = 0;
  /** Points that are charged, and neither paid from the lease nor confirmed by the shared counter. */
  private owed = 0;
  private pendingLease: Promise<void> | undefined;
  /** The part of `owed` that is in the call to the shared counter. */
  private charging = 0;
  private failOpenUntil = 0;
  private readonly policy: string;

  /**
   * @param limit points in a window
   * @param onUncounted is called for each request that passes before it is counted (`late`), or uncounted (`away`)
   */
  constructor(
    readonly limit: number,
    private readonly windowMs: number,
    private readonly shared: SharedCounter,
    private readonly onUncounted: (reason: 'late' | 'away') => void = () => undefined,
  ) {
    this.remaining = limit;
    this.policy = `"events";q=${limit};w=${windowMs / 1000}`;
  }

  take(points: number): Promise<void> | undefined {
    return this.takeLeased(points) ? undefined : this.takeWithLease(points);
  }

  charge(points: number): void {
    this.resetEndedWindow();
    if (this.windowEndsAt === 0) this.windowEndsAt = Date.now() + this.windowMs;
    const owedBefore = this.owed;
    this.owed += Math.ceil(points);
    // A pending lease settles when it arrives; it may hold the points of these requests.
    if (!this.pendingLease) this.payFromLease();
    this.remaining = Math.max(0, this.remaining - (this.owed - owedBefore));
    if (!this.pendingLease) this.chargeOwed();
  }

  /** @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
  headers(): Record<string, string> {
    this.resetEndedWindow();
    return {
      'ratelimit-policy': this.policy,
      ratelimit: `"events";r=${this.leased + this.remaining};t=${this.secondsLeft()}`,
    };
  }

  /** Seconds until the window ends. Before the first reply, those of a window that would begin now. */
  private secondsLeft(): number {
    const leftMs = this.windowEndsAt === 0 ? this.windowMs : this.windowEndsAt - Date.now();
    return Math.max(1, Math.ceil(leftMs / 1000));
  }

  /**
   * @returns false if a lease is needed first
   * @throws DomainError `rate_limited`
   */
  private takeLeased(points: number): boolean {
    this.resetEndedWindow();
    if (Date.now() < this.failOpenUntil) {
      this.onUncounted('away');
      return true;
    }
    if (points > this.leased + this.remaining) throw rateLimited(points, this.limit, this.secondsLeft());
    if (points > this.leased) return false;
    this.leased -= points;
    this.used += points;
    return true;
  }

  /** Requests that wait at the same time share a lease. */
  private async takeWithLease(points: number): Promise<void> {
    this.awaited += points;
    const timeout = new Timeout(TAKE_TIMEOUT_MS);
    try {
      do {
        const lease = (this.pendingLease ??= this.lease().finally(() => (this.pendingLease = undefined)));
        await Promise.race([lease, timeout.expired]);
        if (timeout.isExpired && this.pendingLease === lease) {
          this.onUncounted('late');
          return this.charge(points);
        }
      } while (!this.takeLeased(points));
    } finally {
      timeout.clear();
      this.awaited -= points;
    }
  }

  private async lease(): Promise<void> {
    const needed = this.awaited - this.leased + this.pointsInAdvance();
    try {
      this.apply(await this.shared.take(Math.min(needed, Math.max(1, this.remaining))));
    } catch {
      this.failOpen();
    }
    this.chargeOwed();
  }

  private apply({ taken, remaining, windowEndsAt }: SharedPoints): void {
    if (windowEndsAt > this.windowEndsAt + SAME_WINDOW_TOLERANCE_MS) this.leased = 0;
    this.windowEndsAt = windowEndsAt;
    this.leased += taken;
    this.payFromLease();
    this.remaining = Math.max(0, remaining - this.owed);
  }

  private payFromLease(): void {
    const paid = Math.min(this.leased, this.owed - this.charging);
    this.leased -= paid;
    this.owed -= paid;
  }

  /** Charges what is owed to the shared counter, one call at a time. */
  private chargeOwed(): void {
    if (this.owed === 0 || this.charging > 0) return;
    const points = (this.charging = this.owed);
    const settle = (): void => {
      this.owed -= points;
      this.charging = 0;
    };
    void this.shared
      .charge(points)
      .then(
        (reply) => {
          settle();
          this.apply({ ...reply, taken: 0 });
        },
        () => {
          settle();
          this.failOpen();
        },
      )
      .finally(() => this.chargeOwed());
  }

  /** Uncounted requests do less harm than rejected ones. While Redis is away, events are rejected with 503 anyway. */
  private failOpen(): void {
    this.failOpenUntil = Date.now() + FAIL_OPEN_MS;
  }

  private pointsInAdvance(): number {
    const now = Date.now();
    const elapsedMs = now - this.usedSince;
    if (elapsedMs >= LEASE_MS) {
      this.usedBefore = (this.used * LEASE_MS) / elapsedMs;
      this.used = 0;
      this.usedSince = now;
    }
    const recentlyUsed = Math.max(this.usedBefore, this.used);
    return Math.floor(Math.min(recentlyUsed, this.remaining * MAX_LEASE_SHARE));
  }

  /** Unused points of a window are lost when it ends. */
  private resetEndedWindow(): void {
    if (this.windowEndsAt === 0 || Date.now() < this.windowEndsAt) return;
    this.leased = 0;
    this.remaining = Math.max(0, this.limit - this.owed);
    this.windowEndsAt = 0;
  }
}

/** A timeout that a busy process does not cause: before it expires, replies that have already arrived are read. */
class Timeout {
  isExpired = false;
  readonly expired: Promise<void>;
  private timer: NodeJS.Timeout | undefined;
  private immediate: NodeJS.Immediate | undefined;

  constructor(ms: number) {
    this.expired = new Promise((resolve) => {
      // Timers run before the event loop reads sockets, and immediates after it.
      this.timer = setTimeout(() => {
        this.immediate = setImmediate(() => {
          this.isExpired = true;
          resolve();
        });
      }, ms);
    });
  }

  clear(): void {
    clearTimeout(this.timer);
    clearImmediate(this.immediate);
  }
}
