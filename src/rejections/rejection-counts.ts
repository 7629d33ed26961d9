import type { RejectionCode } from '../platform/model/rejection.js';

/** How often something was refused in one minute. */
export interface RejectionCount {
  /** When the minute begins, in ISO 8601. */
  minute: string;
  application: string;
  code: RejectionCode;
  /** '' where none came, or for all types that were too many to be told apart. */
  category: string;
  name: string;
  count: number;
}

/** Types that are told apart in a minute. Senders can make up any number of them. */
export const TYPES = 100;

/** Counts that may wait to be written with their types told apart: what an outage of hours leaves. */
const WAITING = 10_000;

const MINUTE = 60_000;

/** Counts of what was refused, exact whatever comes, in memory that is bounded whatever comes. */
export class RejectionCounts {
  private counts = new Map<string, RejectionCount>();
  private readonly types = new Set<string>();
  private minute = 0;

  add(
    { application, code, category, name }: Omit<RejectionCount, 'minute' | 'count'>,
    now = Date.now(),
  ): void {
    const minute = Math.floor(now / MINUTE);
    if (minute !== this.minute) this.types.clear();
    this.minute = minute;
    const type = this.isTold(`${category}\0${name}`) ? { category, name } : { category: '', name: '' };
    // U+0000 stands in none of the texts.
    const key = `${minute}\0${application}\0${code}\0${type.category}\0${type.name}`;
    const known = this.counts.get(key);
    if (known) known.count++;
    else
      this.counts.set(key, {
        minute: new Date(minute * MINUTE).toISOString(),
        application,
        code,
        ...type,
        count: 1,
      });
  }

  /** Hands over all counts, to begin at zero. */
  take(): RejectionCount[] {
    const counts = [...this.counts.values()];
    this.counts = new Map();
    return counts;
  }

  private isTold(type: string): boolean {
    if (this.counts.size >= WAITING) return false;
    if (this.types.has(type)) return true;
    if (this.types.size >= TYPES) return false;
    this.types.add(type);
    return true;
  }
}
