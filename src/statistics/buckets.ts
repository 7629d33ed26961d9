import { Temporal } from 'temporal-polyfill';

/** The length of a bucket of time; days and weeks are those of a time zone, and a week begins on Monday. */
export const BUCKET_INTERVALS = ['minute', 'hour', 'day', 'week'] as const;
export type BucketInterval = (typeof BUCKET_INTERVALS)[number];

const LENGTHS = { minute: 60_000, hour: 3_600_000 };

/** The zone by its name in the IANA time zone database, as it is spelt there; undefined where there is none. */
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
): Generator<number> {
  return interval === 'minute' || interval === 'hour'
    ? clockStarts(LENGTHS[interval], from, to, timezone)
    : dateStarts(interval === 'day' ? 1 : 7, from, to, timezone);
}

function* clockStarts(length: number, from: number, to: number, timezone: string): Generator<number> {
  const offsetAt = offsetsIn(timezone);
  const past = (time: number): number => modulo(time + offsetAt(time), length);
  let start = from - past(from);
  while (start < to) {
    yield start;
    start += length;
    // Where clocks are shifted by half an hour, the hour around it is the longer for it.
    const shifted = past(start);
    if (shifted !== 0) start += length - shifted;
  }
}

function* dateStarts(days: number, from: number, to: number, timezone: string): Generator<number> {
  let date = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timezone).toPlainDate();
  if (days === 7) date = date.subtract({ days: date.dayOfWeek - 1 });
  let last = -Infinity;
  for (;;) {
    const start = date.toZonedDateTime(timezone).epochMilliseconds;
    if (start >= to) return;
    // A date that a zone left out, to be on the other side of the date line, begins with the next one.
    if (start > last) yield start;
    last = start;
    date = date.add({ days });
  }
}

/** What tells the offset from UTC at ascending times, in milliseconds: looked up once between two shifts of a clock. */
function offsetsIn(timezone: string): (time: number) => number {
  let offset = 0;
  let until = -Infinity;
  return (time) => {
    if (time >= until) {
      const zoned = Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone);
      offset = zoned.offsetNanoseconds / 1_000_000;
      until = zoned.getTimeZoneTransition('next')?.epochMilliseconds ?? Infinity;
    }
    return offset;
  };
}

/** The remainder that is not negative. */
function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
