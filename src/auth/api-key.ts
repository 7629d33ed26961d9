import { hash, randomBytes } from 'node:crypto';
import { type Scope, SCOPES } from './caller.js';

/** What every key begins with. */
export const KEY_START = 'eye_';

/** The secret is 256 random bits in base64url, so its last character carries only four of them. */
const API_KEY = new RegExp(`^eye_(?:${SCOPES.join('|')})_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$`);

/** Keys in a text, each in two parts: its prefix and the rest. The last one may be cut with the text. */
const KEYS_IN_TEXT = new RegExp(
  `(eye_(?:${SCOPES.join('|')})_[A-Za-z0-9_-]{6})(?:[A-Za-z0-9_-]{37}|[A-Za-z0-9_-]{0,36}$)`,
  'g',
);

/** Characters of the secret in the prefix by which people distinguish keys. */
const PREFIX_SECRET_LENGTH = 6;

/** @returns `eye_<scope>_<43 characters>`, a form that people and secret scanners recognise */
export function generateApiKey(scope: Scope): string {
  return `eye_${scope}_${randomBytes(32).toString('base64url')}`;
}

/** Whether a value has the form of a key. One that has not is rejected without a look-up. */
export function isApiKey(value: unknown): value is string {
  return typeof value === 'string' && API_KEY.test(value);
}

/** The scope in a key's text, which an unknown key has too. */
export function scopeOf(key: string): Scope {
  return key.split('_', 2)[1] as Scope;
}

/** SHA-256 in base64url. Only the digest of a key is stored. */
export function digestOf(key: string): string {
  return hash('sha256', key, 'base64url');
}

/** The part of a key that is stored and shown, e.g. `eye_read_Xb3pQz`. */
export function prefixOf(key: string): string {
  return key.slice(0, key.indexOf('_', 4) + 1 + PREFIX_SECRET_LENGTH);
}

/** A text without the secrets of the keys in it, of which only the prefixes are left. */
export function maskKeys(text: string): string {
  return text.replace(KEYS_IN_TEXT, '$1***');
}
