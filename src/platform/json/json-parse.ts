import { randomBytes } from 'node:crypto';
import { endOfString } from './exact-json.js';

/*
 * JSON.parse of V8 12.8 and later (known to affect Node 23 to 26) may confuse a key that contains an escape with a key
 * that it has parsed before: `{"\n":1}` becomes `{"\\":1}`, and an object with both keys loses a value.
 * On the affected versions only, this module replaces JSON.parse in the whole process. It must be imported first.
 * A local parse function does not suffice: PostgreSQL's driver, Bull and other libraries call JSON.parse themselves and
 * would keep the fault.
 * See https://github.com/nodejs/node/issues/63785
 */

const nativeParse = JSON.parse;

/** Prefix of the placeholders for keys with escapes. It is random and never leaves the process: no text contains it. */
const PLACEHOLDER_PREFIX = randomBytes(12).toString('base64url');

if (hasEscapedKeyBug())
  JSON.parse = (text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown =>
    reviver ? nativeParse(text, reviver) : parseEscapedKeys(text);

/** Detects the bug: the second text must not receive the key of the first. */
function hasEscapedKeyBug(): boolean {
  nativeParse('{"h":[],"\\\\":0}');
  return !Object.hasOwn(nativeParse('{"h":1,"\\"":2}') as object, '"');
}

/**
 * Parses JSON without the bug: replaces keys with escapes by placeholders before parsing, and restores them afterwards.
 * @throws SyntaxError as JSON.parse does
 */
export function parseEscapedKeys(text: string): unknown {
  const value: unknown = nativeParse(text);
  if (typeof text !== 'string' || !text.includes('\\')) return value;
  const keys: string[] = [];
  let renamed = '';
  let copied = 0;
  let escape = text.indexOf('\\');
  for (let at = text.indexOf('"'), end; at !== -1 && escape !== -1; at = text.indexOf('"', end + 1)) {
    end = endOfString(text, at);
    if (escape < at) escape = text.indexOf('\\', at);
    if (escape === -1 || escape > end || !isColonNext(text, end + 1)) continue;
    renamed += `${text.slice(copied, at + 1)}${PLACEHOLDER_PREFIX}${keys.length}`;
    keys.push(nativeParse(text.slice(at, end + 1)) as string);
    copied = end;
  }
  return keys.length === 0 ? value : restoreKeys(nativeParse(renamed + text.slice(copied)), keys);
}

/** Restores the keys of all objects in a value in their original order. A stack of its own allows any depth. */
function restoreKeys(value: unknown, keys: readonly string[]): unknown {
  const pending = [value];
  while (pending.length > 0) {
    const each = pending.pop();
    if (!isContainer(each)) continue;
    for (const inner of Object.values(each)) pending.push(inner);
    const entries = Object.entries(each);
    if (!entries.some(([key]) => key.startsWith(PLACEHOLDER_PREFIX))) continue;
    for (const [key] of entries) delete each[key];
    for (const [key, own] of entries) {
      const name = key.startsWith(PLACEHOLDER_PREFIX)
        ? (keys[Number(key.slice(PLACEHOLDER_PREFIX.length))] ?? '')
        : key;
      // Assigning to `__proto__` would set the prototype instead of a key.
      Object.defineProperty(each, name, { value: own, writable: true, enumerable: true, configurable: true });
    }
  }
  return value;
}

const isContainer = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** True if a colon follows, possibly after whitespace. */
function isColonNext(text: string, at: number): boolean {
  COLON.lastIndex = at;
  return COLON.test(text);
}

const COLON = /[ \t\n\r]*:/y;
