import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { growthOfNumbers } from '../../src/platform/json/canonical-json.js';
import { type Event, type Page, TheEye } from '../../testing/the-eye.js';
import type { HttpResponse } from './connection.js';
import { DIALECT_APPLICATION, DialectLedger } from './dialects/dialect-ledger.js';
import { MARKER } from './dialects/markers.js';
import type { Fault } from './oracle.js';
import { INEXACT_NUMBERS, INEXACT_OBJECTS } from './values.js';
import type { Wire } from './wire.js';

/** The expected stored form of an acknowledged event. */
interface ExpectedEvent {
  digest: string;
  /** Microseconds since 1970; a range if the event was sent without a timestamp. */
  from: bigint;
  to: bigint;
}

const EVENT_FIELDS = ['session_id', 'category', 'name', 'data', 'timestamp'];

const anyOf = (texts: readonly string[], before: string, after: string): RegExp =>
  new RegExp(
    `(?<!${before})(?:${texts.map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|')})(?!${after})`,
  );

const INEXACT_NUMBER = anyOf(INEXACT_NUMBERS, '[\\w.+-]', '[\\w.]');
const INEXACT_OBJECT = anyOf(INEXACT_OBJECTS, '["\\w]', '["\\w]');

/** The strings of a JSON text, which may look like numbers. */
const STRING = /"(?:[^"\\]|\\[^])*"/g;

/** Whether a JSON text has a value that cannot be kept. */
const isInexact = (text: string): boolean =>
  INEXACT_OBJECT.test(text) || INEXACT_NUMBER.test(text.replace(STRING, '""'));

/** Content types that carry one event a line. */
const LINES = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines)\b/i;

/** Content types that carry events, with a charset that is allowed. */
const EVENTS =
  /^application\/(?:json|x-ndjson|ndjson|jsonl|x-jsonlines|vnd\.example\+json)(?:; *charset="?utf-?8"?)?$/i;

/** Bytes of `data` that are within every limit. */
const MAX_SMALL_DATA_BYTES = 10_000;

/**
 * Checks events independently of The Eye's parser: each acknowledged event is stored exactly once and returned as it was
 * sent, and no other event is stored.
 */
export class Ledger {
  private readonly expected = new Map<string, ExpectedEvent>();
  readonly dialects = new DialectLedger();
  /** Refused events, and events in incomplete requests, which a retry may store. */
  private readonly possible = new Map<string, Set<bigint | undefined>>();

  get size(): number {
    return this.expected.size;
  }

  /** Records the response to a request that sends events, or undefined if there was none. */
  *record({ draft, tampered }: Wire, response: HttpResponse | undefined, sentAt: number): Generator<Fault> {
    const { body } = draft;
    if (!body || draft.dialect) return;
    // Of several such headers, Node takes the first.
    const type = draft.headers.find(([name]) => name === 'content-type')?.[1] ?? body.type ?? '';
    if (tampered) {
      // Without its content type, or truncated, the body may have been parsed differently.
      for (const each of [type, otherType(type)])
        parseBody(body.bytes, each, parsePrefix).items.forEach((item) => this.allow(item));
      return;
    }
    const { text, items } = parseBody(body.bytes, type);
    const isDamaged = body.encoded?.isDamaged ?? false;
    if (response && !isDamaged && draft.key === 'none' && draft.headers.length === 0 && draft.host === 'own')
      yield* checkRefusal(type, body.bytes, items, response);
    if (response === undefined || response.status >= 300 || response.body.length === 0)
      return items.forEach((each) => this.allow(each));
    const result = JSON.parse(response.body.toString('utf8'));
    const fault = (kind: string, detail: unknown): Fault => ({
      signature: `${kind} event ${response.status}`,
      detail: `${JSON.stringify(detail)} ${text.slice(0, 1000)}`,
    });
    if (isDamaged) yield fault('accepted damaged', body.encoded?.coding);
    const refused = new Set<number>((result.rejected ?? []).map(({ index }: { index: number }) => index));
    const ids: string[] = result.ids ?? [result.id];
    const accepted = items.filter((_, index) => !refused.has(index));
    items.filter((_, index) => refused.has(index)).forEach((each) => this.allow(each));
    if (accepted.length !== ids.length) return yield fault('miscounted', result);
    if (refused.size === 0 && isInexact(text)) yield fault('inexact', result);
    for (const [index, item] of accepted.entries()) {
      const id = ids[index] ?? '';
      const reason = invalidReason(item);
      if (reason !== undefined) {
        yield fault('accepted invalid', reason);
        continue;
      }
      const expected = expectedEventOf(item as Event, sentAt);
      const before = this.expected.get(id);
      if (before && !overlap(before, expected)) yield fault('clashing', result);
      this.expected.set(id, before ?? expected);
      const stored: Event | undefined =
        result.results?.[index] ?? (result.status === 'queued' ? undefined : result);
      if (stored?.session_id !== undefined && !matches(stored, expected)) yield fault('changed', stored);
    }
  }

  /** Waits until the queue is empty, then reads all events page by page. */
  async *verify(eye: TheEye): AsyncGenerator<Fault> {
    await eye.drained();
    const seen = new Set<string>();
    let next: string | null = '/events/?page_size=1000&ordering=timestamp';
    while (next !== null) {
      const { status, body }: { status: number; body: Page } = await eye.get(next);
      if (status !== 200)
        return yield { signature: `unreadable page ${status}`, detail: `${next} ${JSON.stringify(body)}` };
      for (const event of body.results as (Event & { application: string })[]) {
        if (seen.has(event.id)) yield { signature: 'event stored twice', detail: JSON.stringify(event) };
        seen.add(event.id);
        if (event.application === DIALECT_APPLICATION) {
          this.dialects.see(event);
          continue;
        }
        // A good item of a dialect that was sent with another key.
        if (JSON.stringify(event.data).search(MARKER) !== -1) continue;
        const expected = this.expected.get(event.id);
        const isExpected = expected ? matches(event, expected) : this.isPossible(event);
        if (!isExpected)
          yield {
            signature: `event ${expected ? 'changed' : 'invented'}`,
            detail: JSON.stringify(event).slice(0, 2000),
          };
      }
      next = body.next;
    }
    yield* this.dialects.verify();
    const lost = [...this.expected.keys()].filter((id) => !seen.has(id));
    if (lost.length > 0)
      yield { signature: 'events lost', detail: `${lost.length}, e.g. ${lost.slice(0, 3).join(' ')}` };
    const [row] = await eye.sql<{ count: number }>('SELECT count(*)::int AS count FROM events');
    if (row?.count !== seen.size)
      yield {
        signature: 'list differs from table',
        detail: `${seen.size} in the list, ${row?.count} rows in the table`,
      };
  }

  private allow(item: unknown): void {
    if (invalidReason(item) !== undefined) return;
    const { digest } = expectedEventOf(item as Event, 0);
    const times = this.possible.get(digest) ?? new Set();
    this.possible.set(digest, times.add(instantOf((item as Event).timestamp)));
  }

  private isPossible(event: Event): boolean {
    const times = this.possible.get(digestOf(event));
    return times !== undefined && (times.has(undefined) || times.has(instantOf(event.timestamp)));
  }
}

const otherType = (type: string): string => (LINES.test(type) ? 'application/json' : 'application/x-ndjson');

/** A line without anything but what JSON takes for blanks (RFC 8259), which are fewer than those of Unicode. */
const BLANK = /^[ \t\r]*$/;

/** Parses the events of a body; invalid JSON, and what is not UTF-8, becomes undefined. */
function parseBody(bytes: Buffer, type: string, parseText = parseJson): { text: string; items: unknown[] } {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (LINES.test(type))
    return {
      text,
      items: linesOf(bytes)
        .map(decode)
        .filter((line) => line === undefined || !BLANK.test(line))
        .map((line) => (line === undefined ? undefined : parseText(line))),
    };
  const value = decode(bytes) === undefined ? undefined : parseText(text);
  return { text, items: Array.isArray(value) ? value : [value] };
}

/** The lines of a body, each of which may be something else than UTF-8. */
function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return [...lines, bytes.subarray(start)];
}

/** The text without its byte order mark, or undefined if it is not UTF-8. */
function decode(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Finds good events that were refused: because of their texts or their timestamp, or with the whole body. */
function* checkRefusal(
  type: string,
  bytes: Buffer,
  items: readonly unknown[],
  { status, body }: HttpResponse,
): Generator<Fault> {
  if (!EVENTS.test(type) || body.length === 0 || isInexact(bytes.toString('utf8'))) return;
  const good = items.map((item) => invalidReason(item) === undefined && isSmall(item as Event));
  const result = parseJson(body.toString('utf8')) as
    { code?: string; errors?: object; rejected?: { index: number; errors: object }[] } | undefined;
  const fault = (kind: string): Fault => ({
    signature: `refused a good event: ${kind} ${status}`,
    detail: `${type} ${bytes.toString('utf8', 0, 1000)} ${body.toString('utf8', 0, 1000)}`,
  });
  const isWhole = ['not_utf8', 'malformed_json', 'malformed_encoding', 'unsupported_media_type'].includes(
    result?.code ?? '',
  );
  if (isWhole && good.some(Boolean)) return yield fault(result?.code ?? '');
  const refused = result?.rejected ?? (result?.errors ? [{ index: 0, errors: result.errors }] : []);
  for (const { index, errors } of refused) {
    const field = Object.keys(errors).find((name) => EVENT_FIELDS.includes(name) && name !== 'data');
    if (good[index] && field !== undefined) yield fault(field);
  }
}

/** Whether an event is within all limits that this ledger does not know exactly. */
function isSmall({ session_id, category, name, data, timestamp }: Event): boolean {
  const instant = instantOf(timestamp);
  const isPast = timestamp === undefined || (instant !== undefined && instant < BigInt(Date.now()) * 1000n);
  const texts = Buffer.byteLength(session_id + category + name);
  const json = JSON.stringify(data ?? {});
  return isPast && texts < 600 && json.length + growthOfNumbers(data, json) < MAX_SMALL_DATA_BYTES;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Parses a text, or its shortest prefix that is valid JSON. */
function parsePrefix(text: string): unknown {
  let value = parseJson(text);
  for (const { index } of value === undefined ? text.matchAll(/[\]}]/g) : []) {
    value = parseJson(text.slice(0, index + 1));
    if (value !== undefined) break;
  }
  return value;
}

/** Why a value is not a valid event, or undefined if it is one. */
function invalidReason(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return 'not an object';
  const event = item as Record<string, unknown>;
  const unknownField = Object.keys(event).find((name) => !EVENT_FIELDS.includes(name));
  if (unknownField !== undefined) return `unknown field ${unknownField}`;
  for (const name of ['session_id', 'category', 'name']) {
    const text = event[name];
    if (typeof text !== 'string' || text === '') return `no ${name}`;
    if (Array.from(text).length > 255 || text.includes('\0') || !text.isWellFormed())
      return `${name} cannot be stored`;
  }
  const { data = {}, timestamp } = event;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'data is not an object';
  if (timestamp !== undefined && instantOf(timestamp) === undefined) return 'invalid timestamp';
  try {
    canonicalize(data);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function expectedEventOf(event: Event, sentAt: number): ExpectedEvent {
  const instant = instantOf(event.timestamp);
  const digest = digestOf(event);
  if (instant !== undefined) return { digest, from: instant, to: instant };
  return { digest, from: BigInt(sentAt) * 1000n, to: BigInt(Date.now() + 1) * 1000n };
}

function matches(event: Event, { digest, from, to }: ExpectedEvent): boolean {
  const instant = instantOf(event.timestamp);
  return instant !== undefined && instant >= from && instant <= to && digestOf(event) === digest;
}

const overlap = (one: ExpectedEvent, two: ExpectedEvent): boolean =>
  one.digest === two.digest && one.from <= two.to && two.from <= one.to;

function digestOf({ session_id, category, name, data = {} }: Event): string {
  return createHash('sha256')
    .update(String(canonicalize([session_id, category, name, data])))
    .digest('base64');
}

/** Parses a timestamp into microseconds since 1970, without Date. */
function instantOf(timestamp: unknown): bigint | undefined {
  const [
    ,
    year,
    month,
    day,
    hour,
    minute,
    second = '0',
    fraction = '',
    sign = '+',
    zoneHour = '0',
    zoneMinute = '0',
  ] =
    /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:[Zz]|([+-])(\d\d):?(\d\d)?)?$/.exec(
      typeof timestamp === 'string' ? timestamp : '',
    ) ?? [];
  // Digits after the sixth would be lost.
  if (year === undefined || /[1-9]/.test(fraction.slice(6))) return undefined;
  const zone = (Number(zoneHour) * 60 + Number(zoneMinute)) * (sign === '-' ? 1 : -1);
  const minutes =
    (daysOf(Number(year), Number(month), Number(day)) * 24 + Number(hour)) * 60 + Number(minute) + zone;
  return (BigInt(minutes) * 60n + BigInt(second)) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

/** Days from 1970-01-01 to a day of the Gregorian calendar. */
function daysOf(year: number, month: number, day: number): number {
  const from = month <= 2 ? year - 1 : year;
  const inYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leaps = Math.floor(from / 4) - Math.floor(from / 100) + Math.floor(from / 400);
  return from * 365 + leaps + inYear - 719_468;
}
