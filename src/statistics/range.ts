import { Temporal } from 'temporal-polyfill';
import { InvalidParametersError } from '../platform/errors/domain-error.js';
import {
  type CalendarDate,
  microsecondsOf,
  now,
  type Timestamp,
  timestampAt,
  timestampAtMicroseconds,
  TimestampError,
} from '../platform/time/timestamp.js';
import { endOfDate, startOfDate } from './buckets.js';

/** The length of a range without `from`. */
const DEFAULT_RANGE_MS = 86_400_000;

/** A range of time: `from` inclusive, `to` exclusive. */
export interface Range {
  from: Timestamp;
  to: Timestamp;
}

interface RangeEnds {
  readonly from?: CalendarDate | Timestamp;
  readonly to?: CalendarDate | Timestamp;
}

/**
 * The range between two ends. A date stands for the whole day in the time zone, at either end.
 * @throws InvalidParametersError
 */
export function toRange({ from, to }: RangeEnds, timezone: string): Range {
  const end = to === undefined ? now() : instantOf('to', to, timezone);
  const start =
    from === undefined
      ? inYears('from', end.milliseconds - DEFAULT_RANGE_MS)
      : instantOf('from', from, timezone);
  if (start.text >= end.text) throw new InvalidParametersError({ from: ['Must be before `to`.'] });
  return { from: start, to: end };
}

/** The range of the same length before; undefined where it would begin before the first year. */
export function rangeBefore({ from, to }: Range): Range | undefined {
  return within(() => ({
    from: timestampAtMicroseconds(2n * microsecondsOf(from) - microsecondsOf(to)),
    to: from,
  }));
}

/** The same range of the local clock a year before; undefined where it would begin before the first year. */
export function rangeYearBefore({ from, to }: Range, timezone: string): Range | undefined {
  return within(() => ({ from: yearBefore(from, timezone), to: yearBefore(to, timezone) }));
}

function within(range: () => Range): Range | undefined {
  try {
    return range();
  } catch (error) {
    if (error instanceof TimestampError) return undefined;
    throw error;
  }
}

function yearBefore(time: Timestamp, timezone: string): Timestamp {
  const { epochMilliseconds } = Temporal.Instant.fromEpochMilliseconds(time.milliseconds)
    .toZonedDateTimeISO(timezone)
    .subtract({ years: 1 });
  const shift = BigInt(time.milliseconds - epochMilliseconds) * 1000n;
  return timestampAtMicroseconds(microsecondsOf(time) - shift);
}

function instantOf(parameter: 'from' | 'to', end: CalendarDate | Timestamp, timezone: string): Timestamp {
  if (!('date' in end)) return end;
  return inYears(parameter, (parameter === 'from' ? startOfDate : endOfDate)(end.date, timezone));
}

/** @throws InvalidParametersError outside the years of a timestamp */
function inYears(parameter: 'from' | 'to', milliseconds: number): Timestamp {
  try {
    return timestampAt(milliseconds);
  } catch (error) {
    if (error instanceof TimestampError) throw new InvalidParametersError({ [parameter]: [error.message] });
    throw error;
  }
}
