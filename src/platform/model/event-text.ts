import { environment } from '../config/environment.js';
import { storabilityViolation } from '../json/storable-text.js';

/**
 * Bytes of session_id, category and name together. A B-tree entry holds 2,704 bytes, and timestamp, digest and headers take
 * some of them. Only texts of four-byte characters come near the limit.
 */
export const MAX_TEXTS_BYTES = 2400;

/** What is wrong with a text field of an event. */
export interface TextViolation {
  readonly code: 'missing_field' | 'wrong_type' | 'empty' | 'too_long' | 'not_storable';
  readonly message: string;
}

/** Checks a session_id, category or name. @returns undefined for a valid text */
export function textViolation(value: unknown): TextViolation | undefined {
  if (value === undefined) return { code: 'missing_field', message: 'This field is required.' };
  if (typeof value !== 'string') return { code: 'wrong_type', message: 'Must be a string.' };
  if (value === '') return { code: 'empty', message: 'Must not be empty.' };
  if (lengthOf(value) > environment.TEXT_LIMIT)
    return { code: 'too_long', message: `Must not exceed ${environment.TEXT_LIMIT} characters.` };
  const message = storabilityViolation(value);
  return message === undefined ? undefined : { code: 'not_storable', message };
}

/** True if concatenated texts exceed MAX_TEXTS_BYTES. A UTF-16 unit takes at most three bytes, so few need measuring. */
export function exceedsMaxTextsBytes(texts: string): boolean {
  return texts.length * 3 > MAX_TEXTS_BYTES && Buffer.byteLength(texts) > MAX_TEXTS_BYTES;
}

/** Unicode code points; most texts are too short to need counting. */
function lengthOf(text: string): number {
  return text.length <= environment.TEXT_LIMIT ? text.length : Array.from(text).length;
}
