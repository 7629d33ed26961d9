/** An instant in microseconds. */
export interface Timestamp {
  /** Canonical format: UTC with six fractional digits, e.g. `2021-01-01T09:15:29.243860Z`. Sorts as text. */
  readonly text: string;
  /** Milliseconds since the epoch, rounded down; negative before 1970. */
  readonly milliseconds: number;
}

/** The text is not a valid timestamp. The message is part of the response to the client. */
export class TimestampError extends Error {}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?$/;

const EXAMPLE = '2021-01-01T09:15:29.243860Z';
export const MS_PER_DAY = 86_400_000;

/** The first valid timestamp, in milliseconds since 1970. */
export const FIRST_INSTANT_MS = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');
const OUT_OF_RANGE = 'Must lie within the years 0001 to 9999 in UTC.';

/**
 * Parses an ISO 8601 date-time: `T` or a space between date and time, optional seconds with a fraction, and an optional
 * offset, which defaults to UTC. Fractional digits after the sixth must be zeros. Rejects a text that would have to be
 * rounded.
 * @throws TimestampError
 */
export function parseTimestamp(text: string): Timestamp {
  const match = DATE_TIME.exec(text);
  if (match === null) throw new TimestampError(`Must be an ISO 8601 date-time such as ${EXAMPLE}.`);
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second = '0',
    fraction = '',
    ,
    sign,
    offsetHour = '0',
    offsetMinute = '0',
  ] = match;
  if (!isDay(Number(year), Number(month), Number(day))) throw new TimestampError('This day does not exist.');
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
    throw new TimestampError('This time of day does not exist.');
  }
  if (Number(offsetHour) > 23 || Number(offsetMinute) > 59)
    throw new TimestampError('This offset does not exist.');
  if (/[1-9]/.test(fraction.slice(6))) {
    throw new TimestampError('At most six fractional digits (microseconds) can be kept.');
  }
  const micros = fraction.length === 6 ? fraction : fraction.slice(0, 6).padEnd(6, '0');
  const offset = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === '-' ? -1 : 1);
  const milliseconds =
    utcMilliseconds(Number(year), Number(month), Number(day)) +
    Number(hour) * 3_600_000 +
    (Number(minute) - offset) * 60_000 +
    Number(second) * 1000 +
    Number(micros.slice(0, 3));
  if (milliseconds < FIRST_INSTANT_MS || milliseconds > LAST_INSTANT) throw new TimestampError(OUT_OF_RANGE);
  // In UTC the parts can be joined. Formatting through a Date would cost as much as the rest of this function.
  const canonical =
    offset === 0
      ? `${year}-${month}-${day}T${hour}:${minute}:${second.padStart(2, '0')}.${micros}Z`
      : formatTimestamp(milliseconds, micros.slice(3));
  return { text: canonical, milliseconds };
}

/**
 * Parses one bound of a range: a date-time or a date. A date means its first (`after`) or last (`before`) microsecond
 * in UTC, so that both bounds are inclusive.
 * @throws TimestampError
 */
export function parseBound(text: string, end: 'after' | 'before'): Timestamp {
  const match = DATE.exec(text);
  if (match === null) {
    try {
      // A plus sign that was not percent-encoded arrives as a space: "…00 02:00" can only mean "+02:00".
      return parseTimestamp(text.replace(/(:\d\d(?:[.,]\d+)?) (\d\d(?::?\d\d)?)$/, '$1+$2'));
    } catch (error) {
      if (error instanceof TimestampError && !DATE_TIME.test(text)) {
        throw new TimestampError(`Must be an ISO 8601 date or date-time, such as 2021-01-01 or ${EXAMPLE}.`);
      }
      throw error;
    }
  }
  return parseTimestamp(end === 'after' ? `${text}T00:00:00` : `${text}T23:59:59.999999`);
}

/** A date without a time of day, e.g. `2021-01-01`, in a time zone that is still to be chosen. */
export interface CalendarDate {
  readonly date: string;
}

/**
 * Parses a date-time or a date.
 * @throws TimestampError
 */
export function parseDateOrTimestamp(text: string): CalendarDate | Timestamp {
  const timestamp = parseBound(text, 'after');
  return DATE.test(text) ? { date: text } : timestamp;
}

/** Seconds from one canonical timestamp to another, exact to the microsecond within 270 years. */
export function secondsBetween(earlier: string, later: string): number {
  const seconds = (Date.parse(`${later.slice(0, 19)}Z`) - Date.parse(`${earlier.slice(0, 19)}Z`)) / 1000;
  const micros = Number(later.slice(20, 26)) - Number(earlier.slice(20, 26));
  return (seconds * 1_000_000 + micros) / 1_000_000;
}

/** The current time, in the milliseconds of the system clock. */
export function now(): Timestamp {
  return timestampAt(Date.now());
}

/**
 * The timestamp of a number of milliseconds since the epoch.
 * @throws TimestampError outside the years 0001 to 9999
 */
export function timestampAt(milliseconds: number): Timestamp {
  if (milliseconds < FIRST_INSTANT_MS || milliseconds > LAST_INSTANT) throw new TimestampError(OUT_OF_RANGE);
  return { text: formatTimestamp(milliseconds, '000'), milliseconds };
}

/** Microseconds since the epoch: more than a number holds exactly. */
export const microsecondsOf = ({ milliseconds, text }: Timestamp): bigint =>
  BigInt(milliseconds) * 1000n + BigInt(text.slice(-4, -1));

/**
 * The timestamp of a number of microseconds since the epoch.
 * @throws TimestampError outside the years 0001 to 9999
 */
export function timestampAtMicroseconds(microseconds: bigint): Timestamp {
  const rest = ((microseconds % 1000n) + 1000n) % 1000n;
  const { milliseconds } = timestampAt(Number((microseconds - rest) / 1000n));
  return { text: formatTimestamp(milliseconds, String(rest).padStart(3, '0')), milliseconds };
}

/** @param microseconds the three digits after the milliseconds */
function formatTimestamp(milliseconds: number, microseconds: string): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${microseconds}Z`;
}

/** Milliseconds since the epoch. Date.UTC maps the years 0 to 99 to 1900 to 1999; setUTCFullYear does not. */
function utcMilliseconds(year: number, month: number, day: number): number {
  return year > 99 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day);
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day < 29) return true;
  const date = new Date(utcMilliseconds(year, month, day));
  return date.getUTCMonth() === month - 1;
}
