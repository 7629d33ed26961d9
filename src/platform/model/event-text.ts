import { environment } from '../config/environment.js';
import { whyNotStorable } from '../json/storable-text.js';

/**
 * Bytes of session_id, category and name together. A row of a B-tree index holds 2,704 bytes, of which the timestamp,
 * the digest and the headers take some; only texts full of four-byte characters come near.
 */
export const TEXTS_BYTES = 2400;

/** What a text of an event is found to be. */
export interface TextFlaw {
  readonly code: 'missing_field' | 'wrong_type' | 'empty' | 'too_long' | 'not_storable';
  readonly message: string;
}

/** Why a value cannot be the session_id, the category or the name of an event; undefined where it can. */
export function whyNotText(value: unknown): TextFlaw | undefined {
  if (value === undefined) return { code: 'missing_field', message: 'This field is required.' };
  if (typeof value !== 'string') return { code: 'wrong_type', message: 'Must be a string.' };
  if (value === '') return { code: 'empty', message: 'Must not be empty.' };
  if (lengthOf(value) > environment.TEXT_LIMIT)
    return { code: 'too_long', message: `Must not exceed ${environment.TEXT_LIMIT} characters.` };
  const message = whyNotStorable(value);
  return message === undefined ? undefined : { code: 'not_storable', message };
}

/** Whether such texts together are more than an index can hold. A UTF-16 unit takes at most three bytes. */
export function areTextsTooLong(texts: string): boolean {
  return texts.length * 3 > TEXTS_BYTES && Buffer.byteLength(texts) > TEXTS_BYTES;
}

/** Characters as people count them (Unicode code points); most texts are too short to need counting. */
function lengthOf(text: string): number {
  return text.length <= environment.TEXT_LIMIT ? text.length : Array.from(text).length;
}
