import { hash } from 'node:crypto';
import { isTimeOrderedId } from '../model/time-ordered-id.js';
import { parseTimestamp } from '../time/timestamp.js';

/** A place in a list: the row beside which a page begins, and on which side of it. */
export interface Cursor {
  /** `next`: the page after the row in the order of the list; `previous`: the page before it. */
  readonly direction: 'next' | 'previous';
  /** The time by which the list is ordered, in its canonical spelling. */
  readonly timestamp: string;
  readonly id: string;
}

export class CursorError extends Error {}

/**
 * The opaque form of a cursor. It carries a fingerprint of the query that it belongs to, so that a cursor that was
 * changed, cut or taken to another query is noticed instead of giving a page of something else.
 * @param query the filters and the order, in any fixed spelling
 */
export function encodeCursor(cursor: Cursor, query: string): string {
  const place = `${cursor.direction === 'next' ? 'n' : 'p'}${cursor.timestamp}${cursor.id}`;
  return Buffer.from(fingerprint(place, query) + place).toString('base64url');
}

/** @throws CursorError */
export function decodeCursor(text: string, query: string): Cursor {
  const plain = Buffer.from(text, 'base64url').toString('latin1');
  const place = plain.slice(16);
  const match = /^([np])(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)(.{36})$/.exec(place);
  const [, direction, timestamp = '', id = ''] = match ?? [];
  if (
    match === null ||
    !isTimeOrderedId(id) ||
    !isTimestamp(timestamp) ||
    Buffer.from(plain, 'latin1').toString('base64url') !== text
  ) {
    throw new CursorError('This is not a cursor that The Eye gave out.');
  }
  if (plain.slice(0, 16) !== fingerprint(place, query)) {
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

function fingerprint(place: string, query: string): string {
  return hash('sha256', `${place} ${query}`, 'hex').slice(0, 16);
}
