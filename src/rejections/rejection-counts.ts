import type { RejectionCode } from '../platform/model/rejection.js';

/** How many events were refused in one minute. */
export interface RejectionCount {
  /** Start of the minute, in ISO 8601. */
  minute: string;
  application: string;
  code: RejectionCode;
  /** '' if the event had none, and for all types beyond MAX_TYPES. */
  category: string;
  name: string;
  count: number;
}

/** Types that are counted separately in a minute. Senders can invent any number of them. */
export const MAX_TYPES = 100;

/** Counts that may wait with their types, which is enough for an outage of hours. */
const MAX_WAITING_COUNTS = 10_000;

const MINUTE_MS = 60_000;

/** Exact counts of refused events, in bounded memory. */
export class RejectionCounts {
  private counts = new Map<string, RejectionCount>();
  private readonly types = new Set<string>();
  private minute = 0;

  add(
    { application, code, category, name }: Omit<RejectionCount, 'minute' | 'count'>,
    now = Date.now(),
  ): void {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute !== this.minute) this.types.clear();
    this.minute = minute;
    const type = this.countsSeparately(`${category}\0${name}`)
      ? { category, name }
      : { category: '', name: '' };
    // No text contains U+0000.
    const key = `${minute}\0${application}\0${code}\0${type.category}\0${type.name}`;
    const known = this.counts.get(key);
    if (known) known.count++;
    else
      this.counts.set(key, {
        minute: new Date(minute * MINUTE_MS).toISOString(),
        application,
        code,
        ...type,
        count: 1,
      });
  }

  get isEmpty(): boolean {
    return this.counts.size === 0;
  }

  /** Returns all counts and starts at zero. */
  take(): RejectionCount[] {
    const counts = [...this.counts.values()];
    this.counts = new Map();
    return counts;
  }

  private countsSeparately(type: string): boolean {
    if (this.counts.size >= MAX_WAITING_COUNTS) return false;
    if (this.types.has(type)) return true;
    if (this.types.size >= MAX_TYPES) return false;
    this.types.add(type);
    return true;
  }
}
