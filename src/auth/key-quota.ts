import { rateLimited } from './auth-errors.js';
import type { Quota } from './caller.js';

/** The reply of the counter that all processes share. */
export interface TakenPoints {
  /** All the points that were requested, or 0. */
  taken: number;
  /** Points left in the window. */
  remaining: number;
  /** Milliseconds since the epoch. */
  windowEndsAt: number;
}

/** The use for which a process leases points in advance. */
const LEASE_MS = 50;

/** The part of the remaining points that a process leases in advance at most, so that others find few of them unusable. */
const MAX_LEASE_SHARE = 1 / 50;

/** How long all requests pass after the shared counter failed. */
const FAIL_OPEN_MS = 1000;

/** Two ends that are further apart belong to two windows. */
const SAME_WINDOW_TOLERANCE_MS = 1000;

/**
 * The quota of one key in this process. It leases points from the shared counter: those that are needed now, and about as
 * many as were used in the last LEASE_MS. A busy key therefore costs a few calls a second and rarely a promise, and a slow
 * key is counted exactly. While Redis is available, all processes together never spend more than `limit` points in a window.
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
  private pendingLease: Promise<void> | undefined;
  private failOpenUntil = 0;
  private readonly policy: string;

  /**
   * @param limit points in a window
   * @param takeShared takes all the points or none from the shared counter; rejects if it is unavailable
   */
  constructor(
    readonly limit: number,
    private readonly windowMs: number,
    private readonly takeShared: (points: number) => Promise<TakenPoints>,
  ) {
    this.remaining = limit;
    this.policy = `"events";q=${limit};w=${windowMs / 1000}`;
  }

  take(points: number): Promise<void> | undefined {
    return this.takeLeased(points) ? undefined : this.takeWithLease(points);
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
    if (Date.now() < this.failOpenUntil) return true;
    if (points > this.leased + this.remaining) throw rateLimited(points, this.limit, this.secondsLeft());
    if (points > this.leased) return false;
    this.leased -= points;
    this.used += points;
    return true;
  }

  /** Requests that wait at the same time share a lease. */
  private async takeWithLease(points: number): Promise<void> {
    this.awaited += points;
    try {
      do {
        this.pendingLease ??= this.lease().finally(() => (this.pendingLease = undefined));
        await this.pendingLease;
      } while (!this.takeLeased(points));
    } finally {
      this.awaited -= points;
    }
  }

  private async lease(): Promise<void> {
    const needed = this.awaited - this.leased + this.pointsInAdvance();
    try {
      const reply = await this.takeShared(Math.min(needed, Math.max(1, this.remaining)));
      if (reply.windowEndsAt > this.windowEndsAt + SAME_WINDOW_TOLERANCE_MS) this.leased = 0;
      this.leased += reply.taken;
      this.remaining = reply.remaining;
      this.windowEndsAt = reply.windowEndsAt;
    } catch {
      // Uncounted requests do less harm than rejected ones. While Redis is away, events are rejected with 503 anyway.
      this.failOpenUntil = Date.now() + FAIL_OPEN_MS;
    }
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
    this.remaining = this.limit;
    this.windowEndsAt = 0;
  }
}
