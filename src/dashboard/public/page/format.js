import { el } from './dom.js';
import { settings } from './settings.js';

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 });
const tenths = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });

/** @param {number} value */
export const count = (value) => whole.format(value);
/** @param {number} value */
export const compact = (value) => short.format(value);
/** @param {number} value */
export const decimal = (value) => tenths.format(value);

/**
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export const counted = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** @type {Map<string, Intl.DateTimeFormat>} */
const clocks = new Map();

/** @param {string} timeZone */
function clock(timeZone) {
  const cached = clocks.get(timeZone);
  if (cached) return cached;
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  clocks.set(timeZone, format);
  return format;
}

/**
 * The parts of an instant in a time zone, with leading zeros.
 * @param {number} milliseconds
 * @param {string} [timeZone]
 */
export function partsOf(milliseconds, timeZone = settings.timeZone) {
  const parts = clock(timeZone).formatToParts(milliseconds);
  const { year, month, day, hour, minute, second } = Object.fromEntries(
    parts.map(({ type, value }) => [type, value]),
  );
  return { date: `${year.padStart(4, '0')}-${month}-${day}`, hour, minute, second };
}

/**
 * Formats a date-time in the style of a log, such as `2021-01-01 09:15:29.243`.
 * @param {string} timestamp in the format of the API
 * @param {{ timeZone?: string, digits?: number }} [options]
 */
export function dateTime(timestamp, { timeZone = settings.timeZone, digits = 3 } = {}) {
  const { date, hour, minute, second } = partsOf(Date.parse(timestamp), timeZone);
  // The fraction is the same in every zone, and Intl supports only milliseconds.
  const fraction = /\.(\d+)/.exec(timestamp)?.[1] ?? '';
  const suffix = digits === 0 ? '' : `.${fraction.padEnd(digits, '0').slice(0, digits)}`;
  return `${date} ${hour}:${minute}:${second}${suffix}`;
}

/**
 * An instant in the chosen time zone. The tooltip shows it in UTC with microseconds.
 * @param {string} timestamp
 * @param {{ digits?: number }} [options]
 */
export function time(timestamp, options) {
  const exact = `${dateTime(timestamp, { timeZone: 'UTC', digits: 6 })} UTC`;
  return el('time', { datetime: timestamp, title: exact }, dateTime(timestamp, options));
}

/**
 * Formats a duration with at most two units: `120 ms`, `1.2 s`, `3 min 5 s`, `2 h 13 min`, `3 d 4 h`.
 * @param {number} seconds
 */
export function duration(seconds) {
  if (seconds < 0.001) return `${count(seconds * 1e6)} µs`;
  if (seconds < 1) return `${count(seconds * 1000)} ms`;
  if (seconds < 60) return `${decimal(Math.floor(seconds * 10) / 10)} s`;
  if (seconds < 3600) return both(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return both(seconds, 3600, 'h', 60, 'min');
  return both(seconds, 86_400, 'd', 3600, 'h');
}

/**
 * @param {number} seconds
 * @param {number} large
 * @param {string} largeName
 * @param {number} small
 * @param {string} smallName
 */
function both(seconds, large, largeName, small, smallName) {
  const rest = Math.floor((seconds % large) / small);
  const most = `${count(Math.floor(seconds / large))} ${largeName}`;
  return rest === 0 ? most : `${most} ${rest} ${smallName}`;
}
