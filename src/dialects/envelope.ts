import { Timeslice } from '../platform/async/timeslice.js';
import type { DomainError } from '../platform/errors/domain-error.js';
import { emptyBody, malformedJson } from '../platform/http/http-errors.js';
import { isJsonObject } from '../platform/json/json-object.js';
import { JsonScanner } from '../platform/json/json-scanner.js';
import { scanBody } from '../events/body-values.js';
import { EVENT_BOUNDS } from '../events/event-reader.js';
import { toUtf8 } from './surrogates.js';

/** A body of JSON: an object around an array of items, an array of items, or a single item. */
export interface Envelope {
  /** JSON text of the array of items, or of the single item. */
  readonly items: Buffer;
  /** The other members of the object, or those of the single item. Empty for a bare array, and for an item beyond its bounds. */
  readonly members: Readonly<Record<string, unknown>>;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Bytes after which the search looks at the clock. */
const STEP_BYTES = 64 * 1024;

/**
 * Finds the items of a body, and parses what stands around them. The items are not parsed, so that a body of any size costs no
 * more than one pass over its bytes at a time.
 * @param itemsIn name of the member that holds the array of items
 * @throws DomainError `empty_body`, `malformed_json` if what stands around the items is not JSON
 */
export async function openEnvelope(body: Buffer, itemsIn: string): Promise<Envelope> {
  const bytes = toUtf8(body);
  const first = firstByte(bytes);
  if (first === undefined) throw emptyBody('The body is empty.');
  const slice = new Timeslice();
  const range = first === OPEN_BRACE ? await findArray(bytes, itemsIn, slice) : undefined;
  if (!range) return { items: bytes, members: first === OPEN_BRACE ? await parseObject(bytes, slice) : {} };
  const around = Buffer.concat([
    bytes.subarray(0, range.start),
    Buffer.from('[]'),
    bytes.subarray(range.end),
  ]);
  return {
    items: bytes.subarray(range.start, range.end),
    members: await parseObject(around, slice),
  };
}

/**
 * Parses the first of the items.
 * @returns undefined if there is none, or if it exceeds the bounds of an event
 * @throws DomainError `malformed_json`
 */
export async function firstItem(items: Buffer): Promise<unknown> {
  const slice = new Timeslice();
  const scanner = new JsonScanner(items, false, EVENT_BOUNDS, 1);
  while (scanner.values.length === 0 && scanner.advance()) if (slice.isOver) await slice.next();
  const [first] = scanner.values;
  if (scanner.syntaxError !== undefined) throw malformedJson(scanner.syntaxError);
  if (!first || first.exceeded !== undefined || first.isTooDeep) return undefined;
  return JSON.parse(items.toString('utf8', first.start, first.end));
}

/** Parses an object, unless it exceeds the bounds of an event. @throws DomainError `malformed_json` */
async function parseObject(bytes: Buffer, slice: Timeslice): Promise<Record<string, unknown>> {
  const { values } = await scanBody(bytes, false, slice, 1);
  const [scanned] = values;
  if (!scanned || scanned.exceeded !== undefined || scanned.isTooDeep) return {};
  const value: unknown = JSON.parse(bytes.toString('utf8', scanned.start, scanned.end));
  return isJsonObject(value) ? value : {};
}

/** The first byte that is neither blank nor part of a byte order mark. */
function firstByte(bytes: Buffer): number | undefined {
  const start = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  return bytes[afterBlanks(bytes, start)];
}

/**
 * Finds the array that is a member of the outermost object. It looks at quotes and brackets only: whether the text is JSON is
 * checked later, of the array and of the rest.
 */
async function findArray(
  bytes: Buffer,
  name: string,
  slice: Timeslice,
): Promise<{ start: number; end: number } | undefined> {
  const key = Buffer.from(JSON.stringify(name));
  let found: { start: number; end: number } | undefined;
  let start = -1;
  /** Offset of the string that is open; -1 outside of one. */
  let stringStart = -1;
  let depth = 0;
  let nextPause = STEP_BYTES;
  for (let at = 0; at < bytes.length; at++) {
    if (at >= nextPause) {
      nextPause = at + STEP_BYTES;
      if (slice.isOver) await slice.next();
    }
    const byte = bytes[at];
    if (stringStart !== -1) {
      // The next byte is escaped.
      if (byte === BACKSLASH) at++;
      if (byte !== QUOTE) continue;
      const isKey = depth === 1 && bytes.subarray(stringStart, at + 1).equals(key);
      stringStart = -1;
      if (!isKey) continue;
      const colon = afterBlanks(bytes, at + 1);
      const value = afterBlanks(bytes, colon + 1);
      if (bytes[colon] !== COLON || bytes[value] !== OPEN_BRACKET) continue;
      if (found) throw twice(name);
      start = value;
    } else if (byte === QUOTE) stringStart = at;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth--;
      if (depth !== 1 || start === -1) continue;
      found = { start, end: at + 1 };
      start = -1;
    }
  }
  return found;
}

const twice = (name: string): DomainError =>
  malformedJson(`The member ${name} stands twice; only one could be kept.`);

function afterBlanks(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}
