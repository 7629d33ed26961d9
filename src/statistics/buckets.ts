import { Temporal } from 'temporal-polyfill';
import { MS_PER_DAY } from '../platform/time/timestamp.js';

/** The length of a bucket of time; those from a day on are of the calendar of a time zone. */
export const BUCKET_INTERVALS = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const;
export type BucketInterval = (typeof BUCKET_INTERVALS)[number];

/** The first day of a week, by its number in ISO 8601. */
export const WEEK_STARTS = { monday: 1, sunday: 7 } as const;
export type WeekStart = keyof typeof WEEK_STARTS;

/** Milliseconds of the longest bucket, apart from shifts of the clock. */
const LENGTHS: Readonly<Record<BucketInterval, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: MS_PER_DAY,
  week: 7 * MS_PER_DAY,
  month: 31 * MS_PER_DAY,
  quarter: 92 * MS_PER_DAY,
  year: 366 * MS_PER_DAY,
};

/** Months of the buckets that have no fixed number of days. */
const MONTHS = { month: 1, quarter: 3, year: 12 };

/** The zone by its name in the IANA time zone database, in the letter case of the database; undefined where there is none. */
export function zoneNamed(name: string): string | undefined {
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return undefined;
  }
}

/** The first instant of a date, e.g. `2026-03-29`, in milliseconds since 1970: midnight, where there is one. */
export function startOfDate(date: string, timezone: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(timezone).epochMilliseconds;
}

/** The first instant after a date. */
export function endOfDate(date: string, timezone: string): number {
  return startOfDate(Temporal.PlainDate.from(date).add({ days: 1 }).toString(), timezone);
}

/**
 * Yields when each bucket begins, from the one that `from` lies in to the last one that begins before `to`, in
 * milliseconds since 1970. A day of 23 or 25 hours is one bucket, and an hour that a clock shows twice is two.
 */
export function bucketStarts(
  interval: BucketInterval,
  from: number,
  to: number,
  timezone: string,
  weekStart: WeekStart = 'monday',
): Generator<number> {
  if (interval === 'minute' || interval === 'hour') return clockStarts(LENGTHS[interval], from, to, timezone);
  if (interval === 'day' || interval === 'week')
    return dateStarts(interval === 'day' ? 1 : 7, from, to, timezone, weekStart);
  return monthStarts(MONTHS[interval], from, to, timezone);
}

/** The least number of buckets that a range can have in any zone, known without looking at the zone. */
export function leastBuckets(interval: BucketInterval, from: number, to: number): number {
  // All shifts of a clock together move it by less than two days; a day that it leaves out has no bucket.
  return Math.floor((to - from - 2 * MS_PER_DAY) / LENGTHS[interval]) - 1;
}

/**
 * A bucket begins where the local clock shows a whole hour (or minute), and at a shift of the clock that leads into another
 * hour. So a boundary depends on the zone alone, not on the range.
 */
function* clockStarts(length: number, from: number, to: number, timezone: string): Generator<number> {
  const offsetAt = offsetsIn(timezone);
  const isStart = (time: number): boolean => {
    const label = Math.floor((time + offsetAt(time).offset) / length);
    const before = Math.floor((time - 1 + offsetAt(time - 1).offset) / length);
    return label !== before || modulo(time + offsetAt(time).offset, length) === 0;
  };
  const lastStart = (time: number): number => {
    const whole = time - modulo(time + offsetAt(time).offset, length);
    let shift = offsetAt(whole).until;
    if (shift > time) return whole;
    for (let next = shift; next <= time; next = offsetAt(next).until) shift = next;
    return isStart(shift) ? shift : lastStart(shift - 1);
  };
  const nextStart = (time: number): number => {
    const { offset, until: shift } = offsetAt(time);
    const whole = time + length - modulo(time + offset, length);
    if (whole < shift) return whole;
    return isStart(shift) ? shift : nextStart(shift);
  };
  for (let start = lastStart(from); start < to; start = nextStart(start)) yield start;
}

/** A bucket begins with its first date. Temporal is slow, so it computes only the first date and those beside a shift of the clock. */
function* dateStarts(
  days: number,
  from: number,
  to: number,
  timezone: string,
  weekStart: WeekStart,
): Generator<number> {
  let date = dateAt(from, timezone);
  if (days === 7) date = date.subtract({ days: modulo(date.dayOfWeek - WEEK_STARTS[weekStart], 7) });
  const startOf = (steps: number): number =>
    date.add({ days: days * steps }).toZonedDateTime(timezone).epochMilliseconds;
  const offsetAt = offsetsIn(timezone);
  const length = days * MS_PER_DAY;
  // A clock that goes back across midnight shows the date before again, but the new day has begun.
  let step = startOf(1) <= from ? 1 : 0;
  let start = startOf(step);
  for (let last = -Infinity; start < to; step++) {
    // A date that a zone left out, to be on the other side of the date line, begins with the next one.
    if (start > last) yield start;
    last = start;
    const { offset, until: shift } = offsetAt(start);
    const isMidnight = modulo(start + offset, MS_PER_DAY) === 0;
    start = isMidnight && start + length < shift ? start + length : startOf(step + 1);
  }
}

/** A bucket begins with the first day of a month. */
function* monthStarts(months: number, from: number, to: number, timezone: string): Generator<number> {
  const date = dateAt(from, timezone);
  const first = date.with({ day: 1 }).subtract({ months: (date.month - 1) % months });
  const startOf = (steps: number): number =>
    first.add({ months: months * steps }).toZonedDateTime(timezone).epochMilliseconds;
  for (let step = startOf(1) <= from ? 1 : 0; ; step++) {
    const start = startOf(step);
    if (start >= to) return;
    yield start;
  }
}

const dateAt = (time: number, timezone: string): Temporal.PlainDate =>
  Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone).toPlainDate();

interface Offset {
  /** Milliseconds that the local clock is ahead of UTC. */
  readonly offset: number;
  /** The next shift of the local clock. */
  readonly until: number;
}

/** Looks up the offset from UTC at a time. Remembers the last result, because consecutive times usually share it. */
function offsetsIn(timezone: string): (time: number) => Offset {
  let from = Infinity;
  let last: Offset = { offset: 0, until: -Infinity };
  return (time) => {
    if (time < from || time >= last.until) {
      const zoned = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone);
      const until = zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity;
      last = { offset: zoned.offsetNanoseconds / 1_000_000, until };
      from = time;
    }
    return last;
  };
}

/** The remainder that is not negative. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
