import { hash, randomBytes } from 'node:crypto';
import { type Scope, SCOPES } from './caller.js';

/** 256 random bits in base64url, so the last character carries only four of them. */
const FORM = new RegExp(`^eye_(?:${SCOPES.join('|')})_[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$`);

/** Characters of the secret that a person may see afterwards, to tell keys apart. */
const SHOWN = 6;

/** `eye_<scope>_<43 characters>`: recognisable, to people and to scanners that look for leaked secrets. */
export function generateApiKey(scope: Scope): string {
  return `eye_${scope}_${randomBytes(32).toString('base64url')}`;
}

/** Whether a text can be a key at all; one that cannot is refused without asking anybody. */
export function isApiKey(text: unknown): text is string {
  return typeof text === 'string' && FORM.test(text);
}

/** The scope that a key names, without knowing whether the key is good. */
export function scopeOf(key: string): Scope {
  return key.split('_', 2)[1] as Scope;
}

/** SHA-256, in base64url: what is kept of a key. */
export function digestOf(key: string): string {
  return hash('sha256', key, 'base64url');
}

/** The beginning of a key, e.g. `eye_read_Xb3pQz`. */
export function prefixOf(key: string): string {
  return key.slice(0, key.indexOf('_', 4) + 1 + SHOWN);
}
