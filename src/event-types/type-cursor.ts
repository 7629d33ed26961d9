import { InvalidParametersError } from '../platform/errors/domain-error.js';
import { UNKNOWN_CURSOR } from '../platform/paging/cursor.js';
import type { TypeKey } from './event-types.repository.js';

/** The opaque text that stands for the last type of a page in its link to the next page. */
export function encodeTypeCursor({ category, name }: TypeKey): string {
  return Buffer.from(JSON.stringify([category, name])).toString('base64url');
}

/** @throws InvalidParametersError */
export function decodeTypeCursor(text: string): TypeKey {
  try {
    const [category, name, ...more] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (isText(category) && isText(name) && more.length === 0) return { category, name };
  } catch {
    // Not JSON, or not an array.
  }
  throw new InvalidParametersError({ after: [UNKNOWN_CURSOR] });
}

/** PostgreSQL rejects texts with NUL. */
const isText = (value: unknown): value is string => typeof value === 'string' && !value.includes('\0');
