import { hash } from 'node:crypto';
import { environment } from '../platform/config/environment.js';
import { timestampAt, TimestampError } from '../platform/time/timestamp.js';

/** Bytes of a text of an event in UTF-8, so that three texts fit into an index. */
const MAX_BYTES = 800;

/** Characters of a digest at the end of an id that was cut. */
const DIGEST_LENGTH = 22;

/** False for what clients write in the place of a value that they do not have. */
export const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== '';

/** A text that is not empty; undefined for every other value. */
export const stringOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

/** The same, also of a number, as which some clients send their ids. */
export const idOf = (value: unknown): string | undefined =>
  typeof value === 'number' ? String(value) : stringOf(value);

/** A text that is cut where it exceeds the limits of a category or a name. Its whole must be kept in `data`. */
export function cut(text: string, maxCharacters = environment.TEXT_LIMIT): string {
  if (text.length * 3 <= MAX_BYTES && text.length <= maxCharacters) return text;
  let kept = '';
  let characters = 0;
  let bytes = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (++characters > maxCharacters || bytes > MAX_BYTES) break;
    kept += character;
  }
  return kept;
}

/** A session_id within the limits. A longer id is cut and gets a digest of the whole, so that two of them stay two. */
export function sessionId(id: string): string {
  if (cut(id) === id) return id;
  const digest = hash('sha256', id, 'base64url').slice(0, DIGEST_LENGTH);
  return `${cut(id, environment.TEXT_LIMIT - DIGEST_LENGTH - 1)}~${digest}`;
}

/** Fractions of a second beyond microseconds. */
const NANOSECONDS = /^(.*[.,]\d{6})\d+(\D*|[+-][\d:]+)$/;

/** The time of a client as an event takes it: without what a timestamp cannot hold beyond microseconds. */
export const microseconds = (time: unknown): unknown =>
  typeof time === 'string' ? time.replace(NANOSECONDS, '$1$2') : time;

/** Milliseconds since 1970 as the text of a timestamp; the value itself if it is none, which the reader then refuses. */
export function fromMilliseconds(value: unknown): unknown {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return value;
  try {
    return timestampAt(number).text;
  } catch (error) {
    if (error instanceof TimestampError || error instanceof RangeError) return String(value);
    throw error;
  }
}

/** The instant of an ISO 8601 text or of a number of milliseconds; undefined if it is neither. */
export function instantOf(value: unknown): number | undefined {
  const instant = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : NaN;
  return Number.isFinite(instant) ? instant : undefined;
}
