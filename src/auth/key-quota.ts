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

/** The use for which a process reserves points in advance. */
const RESERVE_MS = 50;

/** The part of the remaining points that a process reserves in advance at most, so that others find few of them unusable. */
const MAX_RESERVED_SHARE = 1 / 50;

/** A request waits this long for the shared counter at most, so that its response comes within two seconds. */
const TAKE_TIMEOUT_MS = 250;

/** How long all requests pass after a call of the shared counter failed. */
const FAIL_OPEN_MS = 250;

/** Two ends that are further apart belong to two windows. */
const SAME_WINDOW_TOLERANCE_MS = 1000;

/**
 * The quota of one key in this process. It reserves points from the shared counter: those that are needed now, and about as
 * many as were used in the last RESERVE_MS. A busy key therefore costs a few calls a second and rarely a promise, and a slow
 * key is counted exactly. While Redis replies in time, all processes together never take more than `limit` points in a
 * window. When a reply is late, the requests that waited for it pass and are charged afterwards. Nothing is counted only
 * while Redis is away.
 *
 * rate-limiter-flexible has no reservations: each of its limiters calls the store for every request. Its cache of blocked keys
 * (`inMemoryBlockOnConsumed`) rejects small requests after a large one did not fit, and its `insuranceLimiter` counts in
 * each process separately.
 */
export class KeyQuota implements Quota {
  private reserved = 0;
  /** Points left for all processes at the last reply. The true number only falls until the window ends. */
  private remaining: number;
  /** Milliseconds since the epoch; 0 before the first reply of a window. */
  private windowEndsAt = 0;
  /** Points used since `usedSince`, and scaled to RESERVE_MS in the period before. */
  private used = 0;
  private usedSince = 0;
  private usedBefore = 0;
  /** Points of the requests that wait for a reservation. */
  private awaited = 0;
  /** Points that are charged, and neither paid from the reservation nor confirmed by the shared counter. */
  private owed = 0;
  private pendingReservation: Promise<void> | undefined;
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
    return this.takeReserved(points) ? undefined : this.takeWithReservation(points);
  }

  charge(points: number): void {
    this.resetEndedWindow();
    if (this.windowEndsAt === 0) this.windowEndsAt = Date.now() + this.windowMs;
    const owedBefore = this.owed;
    this.owed += Math.ceil(points);
    // A pending reservation settles when it arrives; it may hold the points of these requests.
    if (!this.pendingReservation) this.payFromReserved();
    this.remaining = Math.max(0, this.remaining - (this.owed - owedBefore));
    if (!this.pendingReservation) this.chargeOwed();
  }

  /** @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
  headers(): Record<string, string> {
    this.resetEndedWindow();
    return {
      'ratelimit-policy': this.policy,
      ratelimit: `"events";r=${this.reserved + this.remaining};t=${this.secondsLeft()}`,
    };
  }

  /** Seconds until the window ends. Before the first reply, those of a window that would begin now. */
  private secondsLeft(): number {
    const leftMs = this.windowEndsAt === 0 ? this.windowMs : this.windowEndsAt - Date.now();
    return Math.max(1, Math.ceil(leftMs / 1000));
  }

  /**
   * @returns false if a reservation is needed first
   * @throws DomainError `rate_limited`
   */
  private takeReserved(points: number): boolean {
    this.resetEndedWindow();
    if (Date.now() < this.failOpenUntil) {
      this.onUncounted('away');
      return true;
    }
    if (points > this.reserved + this.remaining) throw rateLimited(points, this.limit, this.secondsLeft());
    if (points > this.reserved) return false;
    this.reserved -= points;
    this.used += points;
    return true;
  }

  /** Requests that wait at the same time share a reservation. */
  private async takeWithReservation(points: number): Promise<void> {
    this.awaited += points;
    const timeout = new Timeout(TAKE_TIMEOUT_MS);
    try {
      do {
        const reservation = (this.pendingReservation ??= this.reserve().finally(
          () => (this.pendingReservation = undefined),
        ));
        await Promise.race([reservation, timeout.expired]);
        if (timeout.isExpired && this.pendingReservation === reservation) {
          this.onUncounted('late');
          return this.charge(points);
        }
      } while (!this.takeReserved(points));
    } finally {
      timeout.clear();
      this.awaited -= points;
    }
  }

  private async reserve(): Promise<void> {
    const needed = this.awaited - this.reserved + this.pointsInAdvance();
    try {
      this.apply(await this.shared.take(Math.min(needed, Math.max(1, this.remaining))));
    } catch {
      this.failOpen();
    }
    this.chargeOwed();
  }

  private apply({ taken, remaining, windowEndsAt }: SharedPoints): void {
    if (windowEndsAt > this.windowEndsAt + SAME_WINDOW_TOLERANCE_MS) this.reserved = 0;
    this.windowEndsAt = windowEndsAt;
    this.reserved += taken;
    this.payFromReserved();
    this.remaining = Math.max(0, remaining - this.owed);
  }

  private payFromReserved(): void {
    const paid = Math.min(this.reserved, this.owed - this.charging);
    this.reserved -= paid;
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
    if (elapsedMs >= RESERVE_MS) {
      this.usedBefore = (this.used * RESERVE_MS) / elapsedMs;
      this.used = 0;
      this.usedSince = now;
    }
    const recentlyUsed = Math.max(this.usedBefore, this.used);
    return Math.floor(Math.min(recentlyUsed, this.remaining * MAX_RESERVED_SHARE));
  }

  /** Unused points of a window are lost when it ends. */
  private resetEndedWindow(): void {
    if (this.windowEndsAt === 0 || Date.now() < this.windowEndsAt) return;
    this.reserved = 0;
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
