import { randomBytes } from 'node:crypto';
import { endOfString } from './exact-json.js';

/*
 * JSON.parse of V8 12.8 and later (Node 23 to 26, as far as is known) may take a key that is spelt with an escape for
 * another one that it has met before: `{"\n":1}` becomes `{"\\":1}`, and where an object has both, a value is lost.
 * Imported before anything else, this puts another in its place there, for all who parse in this process, PostgreSQL's
 * driver among them.
 * See https://github.com/nodejs/node/issues/63785
 */

const parse = JSON.parse;

/** Begins the names that stand in for keys with escapes. It never leaves the process, so that no text has it. */
const MARK = randomBytes(12).toString('base64url');

if (isBroken())
  JSON.parse = (text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown =>
    reviver ? parse(text, reviver) : parseEscapedKeys(text);

/** Whether a key is taken for the one that was met before it. */
function isBroken(): boolean {
  parse('{"h":[],"\\\\":0}');
  return !Object.hasOwn(parse('{"h":1,"\\"":2}') as object, '"');
}

/**
 * What JSON.parse is to return: keys with escapes are parsed under names that have none, and then given back their own.
 * @throws SyntaxError as JSON.parse does
 */
export function parseEscapedKeys(text: string): unknown {
  const value: unknown = parse(text);
  if (typeof text !== 'string' || !text.includes('\\')) return value;
  const keys: string[] = [];
  let renamed = '';
  let copied = 0;
  let escape = text.indexOf('\\');
  for (let at = text.indexOf('"'), end; at !== -1 && escape !== -1; at = text.indexOf('"', end + 1)) {
    end = endOfString(text, at);
    if (escape < at) escape = text.indexOf('\\', at);
    if (escape === -1 || escape > end || !isColon(text, end + 1)) continue;
    renamed += `${text.slice(copied, at + 1)}${MARK}${keys.length}`;
    keys.push(parse(text.slice(at, end + 1)) as string);
    copied = end;
  }
  return keys.length === 0 ? value : withKeys(parse(renamed + text.slice(copied)), keys);
}

/** Gives the keys of all objects in a value, however deep, their own names, in their order. */
function withKeys(value: unknown, keys: readonly string[]): unknown {
  const left = [value];
  while (left.length > 0) {
    const each = left.pop();
    if (!isContainer(each)) continue;
    for (const inner of Object.values(each)) left.push(inner);
    const entries = Object.entries(each);
    if (!entries.some(([key]) => key.startsWith(MARK))) continue;
    for (const [key] of entries) delete each[key];
    for (const [key, own] of entries) {
      const name = key.startsWith(MARK) ? (keys[Number(key.slice(MARK.length))] ?? '') : key;
      // An assignment to `__proto__` would make no key.
      Object.defineProperty(each, name, { value: own, writable: true, enumerable: true, configurable: true });
    }
  }
  return value;
}

const isContainer = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

/** Whether a colon stands here, or behind blanks. */
function isColon(text: string, at: number): boolean {
  COLON.lastIndex = at;
  return COLON.test(text);
}

const COLON = /[ \t\n\r]*:/y;
