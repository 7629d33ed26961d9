/** An instant, kept to the microsecond. */
export interface Timestamp {
  /** Canonical spelling: UTC with six digits, e.g. `2021-01-01T09:15:29.243860Z`; sorts as text. */
  readonly text: string;
  /** Milliseconds since 1970, rounded down; negative before. */
  readonly milliseconds: number;
}

/** Why a text is no timestamp, in words for whoever sent it. */
export class TimestampError extends Error {}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?$/;

const EXAMPLE = '2021-01-01T09:15:29.243860Z';
const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');
const OUT_OF_RANGE = 'Must lie within the years 0001 to 9999 in UTC.';

/**
 * Reads an ISO 8601 date-time: `T` or a blank between date and time, seconds and up to six fractional digits optional,
 * an offset or none, which means UTC. What cannot be kept exactly is refused, not rounded.
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
    utc(Number(year), Number(month), Number(day)) +
    Number(hour) * 3_600_000 +
    (Number(minute) - offset) * 60_000 +
    Number(second) * 1000 +
    Number(micros.slice(0, 3));
  if (milliseconds < FIRST_INSTANT || milliseconds > LAST_INSTANT) throw new TimestampError(OUT_OF_RANGE);
  // In UTC the text is there already, piece by piece; making a Date only to spell it would cost as much as all the rest.
  const canonical =
    offset === 0
      ? `${year}-${month}-${day}T${hour}:${minute}:${second.padStart(2, '0')}.${micros}Z`
      : spell(milliseconds, micros.slice(3));
  return { text: canonical, milliseconds };
}

/**
 * Reads one end of a range: a date-time, or a date, which stands for its first (`after`) or last (`before`)
 * microsecond in UTC, so that both ends are inclusive.
 * @throws TimestampError
 */
export function parseBound(text: string, end: 'after' | 'before'): Timestamp {
  const match = DATE.exec(text);
  if (match === null) {
    try {
      // A plus sign that was not percent-encoded arrives as a blank: "…00 02:00" can only mean "+02:00".
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

/** True for a date without a time of day. */
export function isDate(text: string): boolean {
  return DATE.test(text);
}

/** The instant a microsecond after a canonical timestamp; undefined after the last one that there can be. */
export function nextMicrosecond(text: string): string | undefined {
  const micros = Number(text.slice(20, 26)) + 1;
  if (micros < 1_000_000) return `${text.slice(0, 20)}${String(micros).padStart(6, '0')}Z`;
  const next = Date.parse(`${text.slice(0, 19)}Z`) + 1000;
  return next > LAST_INSTANT ? undefined : timestampAt(next).text;
}

/** Seconds from one canonical timestamp to another, exact to the microsecond within 270 years. */
export function secondsBetween(earlier: string, later: string): number {
  const seconds = (Date.parse(`${later.slice(0, 19)}Z`) - Date.parse(`${earlier.slice(0, 19)}Z`)) / 1000;
  const micros = Number(later.slice(20, 26)) - Number(earlier.slice(20, 26));
  return (seconds * 1_000_000 + micros) / 1_000_000;
}

/** The present, to the millisecond that the clock gives. */
export function now(): Timestamp {
  return timestampAt(Date.now());
}

/**
 * The instant so many milliseconds after 1970.
 * @throws TimestampError where it lies in no year from 0001 to 9999
 */
export function timestampAt(milliseconds: number): Timestamp {
  if (milliseconds < FIRST_INSTANT || milliseconds > LAST_INSTANT) throw new TimestampError(OUT_OF_RANGE);
  return { text: spell(milliseconds, '000'), milliseconds };
}

function spell(milliseconds: number, microseconds: string): string {
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${microseconds}Z`;
}

/** Date.UTC takes the years 0 to 99 for 1900 to 1999; a Date that is set does not. */
function utc(year: number, month: number, day: number): number {
  return year > 99 ? Date.UTC(year, month - 1, day) : new Date(0).setUTCFullYear(year, month - 1, day);
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  if (day < 29) return true;
  const last = new Date(utc(year, month, day));
  return last.getUTCMonth() === month - 1;
}
