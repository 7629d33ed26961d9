import type { Quota } from './caller.js';
import { Problem } from '../platform/http/problem.js';

/** What the count for all processes says. */
export interface Taken {
  /** All the points that were asked for, or 0. */
  taken: number;
  /** Points that are left for whoever asks next. */
  remaining: number;
  /** When the window ends, in milliseconds since 1970. */
  ends: number;
}

/** Milliseconds of use that a process takes in advance. */
const LEASE = 50;

/** It takes in advance no more than this part of what is left, so that little is left unused in other processes. */
const PART = 50;

/** Milliseconds for which everything passes after the count could not be asked. */
const AMNESTY = 1000;

/** Two ends of a window further apart than this, in milliseconds, are ends of two windows. */
const SAME_WINDOW = 1000;

/**
 * One key's points in this process. They are taken from the count for all processes a lease at a time: what is asked for,
 * and about what was used in the last LEASE milliseconds. So a busy key costs a few calls a second and most takings no
 * promise, while a slow one is counted to the point. Never more than `limit` points are given out in a window.
 */
export class KeyQuota implements Quota {
  private inHand = 0;
  /** In the count for all, when it was last asked. It only shrinks until the window ends. */
  private remaining: number;
  private ends = 0;
  /** Points used since `usedSince`, and in a time of LEASE before that. */
  private used = 0;
  private usedSince = 0;
  private usedBefore = 0;
  private wanted = 0;
  private asking: Promise<void> | undefined;
  private passUntil = 0;
  private readonly policy: string;

  /**
   * @param window milliseconds
   * @param takeFromAll takes all points or none from the count for all; rejects where it cannot be asked
   */
  constructor(
    readonly limit: number,
    private readonly window: number,
    private readonly takeFromAll: (points: number) => Promise<Taken>,
  ) {
    this.remaining = limit;
    this.policy = `"events";q=${limit};w=${window / 1000}`;
  }

  /** @throws Problem 429 */
  take(points: number): Promise<void> | undefined {
    return this.takeAtHand(points) ? undefined : this.takeLease(points);
  }

  /** @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ */
  headers(): Record<string, string> {
    this.turnWindow();
    return {
      'ratelimit-policy': this.policy,
      ratelimit: `"events";r=${this.inHand + this.remaining};t=${this.secondsLeft()}`,
    };
  }

  /** Until the window ends, or one that would begin now. */
  private secondsLeft(): number {
    const left = this.ends === 0 ? this.window : this.ends - Date.now();
    return Math.max(1, Math.ceil(left / 1000));
  }

  /** False where the count for all has to be asked first. */
  private takeAtHand(points: number): boolean {
    this.turnWindow();
    if (Date.now() < this.passUntil) return true;
    if (points > this.inHand + this.remaining) throw this.refusal(points);
    if (points > this.inHand) return false;
    this.inHand -= points;
    this.used += points;
    return true;
  }

  private async takeLease(points: number): Promise<void> {
    this.wanted += points;
    try {
      do {
        this.asking ??= this.ask().finally(() => (this.asking = undefined));
        await this.asking;
      } while (!this.takeAtHand(points));
    } finally {
      this.wanted -= points;
    }
  }

  private async ask(): Promise<void> {
    const now = Date.now();
    const elapsed = now - this.usedSince;
    if (elapsed >= LEASE) {
      this.usedBefore = (this.used * LEASE) / elapsed;
      this.used = 0;
      this.usedSince = now;
    }
    const inAdvance = Math.floor(Math.min(Math.max(this.usedBefore, this.used), this.remaining / PART));
    try {
      const points = this.wanted - this.inHand + inAdvance;
      this.learn(await this.takeFromAll(Math.min(points, Math.max(1, this.remaining))));
    } catch {
      // Better to let some pass uncounted than to stop all: whoever stores them says 503 himself.
      this.passUntil = Date.now() + AMNESTY;
    }
  }

  private learn({ taken, remaining, ends }: Taken): void {
    if (ends > this.ends + SAME_WINDOW) this.inHand = 0;
    this.inHand += taken;
    this.remaining = remaining;
    this.ends = ends;
  }

  /** What was not used in one window counts for nothing in the next. */
  private turnWindow(): void {
    if (this.ends === 0 || Date.now() < this.ends) return;
    this.inHand = 0;
    this.remaining = this.limit;
    this.ends = 0;
  }

  private refusal(points: number): Problem {
    const limit = this.limit.toLocaleString('en');
    return new Problem(
      429,
      'rate_limited',
      points > this.limit
        ? `The request holds more events than the ${limit} a minute that this key may send; send fewer at a time.`
        : `This key may send ${limit} events a minute, and has not that many left.`,
      {},
      { ...this.headers(), 'retry-after': String(this.secondsLeft()) },
    );
  }
}
