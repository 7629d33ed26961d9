import { hash } from 'node:crypto';
import { InvalidParametersError } from '../errors/domain-error.js';
import { isTimeOrderedId } from '../model/time-ordered-id.js';
import { parseTimestamp } from '../time/timestamp.js';

/** A position in a list: beside a row, on one of its sides. */
export interface Cursor {
  /** `next`: the page after the row, in the order of the list; `previous`: the page before it. */
  readonly direction: 'next' | 'previous';
  /** The row's value of the column that orders the list, as a canonical timestamp. */
  readonly timestamp: string;
  readonly id: string;
}

export const UNKNOWN_CURSOR = 'This is not a cursor that The Eye issued.';

/** The parameter `cursor` is invalid. */
export class CursorError extends InvalidParametersError {
  constructor(reason: string) {
    super({ cursor: [reason] });
  }
}

/**
 * Encodes a cursor for a URL. The text contains a fingerprint of the query, so that a cursor that was changed, truncated
 * or used with another query is rejected instead of selecting a wrong page.
 * @param query the filters and the ordering, always formatted the same way
 */
export function encodeCursor({ direction, timestamp, id }: Cursor, query: string): string {
  const position = `${direction === 'next' ? 'n' : 'p'}${timestamp}${id}`;
  return Buffer.from(fingerprint(position, query) + position).toString('base64url');
}

/** @throws CursorError */
export function decodeCursor(text: string, query: string): Cursor {
  const plain = Buffer.from(text, 'base64url').toString('latin1');
  const position = plain.slice(FINGERPRINT_LENGTH);
  const match = /^([np])(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)(.{36})$/.exec(position);
  const [, direction, timestamp = '', id = ''] = match ?? [];
  if (
    match === null ||
    !isTimeOrderedId(id) ||
    !isTimestamp(timestamp) ||
    // Base64 has several texts for the same bytes.
    Buffer.from(plain, 'latin1').toString('base64url') !== text
  ) {
    throw new CursorError(UNKNOWN_CURSOR);
  }
  if (plain.slice(0, FINGERPRINT_LENGTH) !== fingerprint(position, query)) {
    throw new CursorError('This cursor belongs to another query; filters and ordering must stay the same.');
  }
  return { direction: direction === 'n' ? 'next' : 'previous', timestamp, id };
}

function isTimestamp(text: string): boolean {
  try {
    return parseTimestamp(text).text === text;
  } catch {
    return false;
  }
}

/** Hexadecimal digits. */
const FINGERPRINT_LENGTH = 16;

function fingerprint(position: string, query: string): string {
  return hash('sha256', `${position} ${query}`, 'hex').slice(0, FINGERPRINT_LENGTH);
}
