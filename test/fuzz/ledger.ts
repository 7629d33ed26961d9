import canonicalize from 'canonicalize';
import { createHash } from 'node:crypto';
import { type Event, type Page, TheEye } from '../../testing/the-eye.js';
import type { Answer } from './connection.js';
import type { Fault } from './oracle.js';
import { INEXACT } from './values.js';
import type { Wire } from './wire.js';

/** What an acknowledged event must come back as. */
interface Promised {
  digest: string;
  /** Microseconds since 1970; a range where the event was sent without. */
  from: bigint;
  to: bigint;
}

const FIELDS = ['session_id', 'category', 'name', 'data', 'timestamp'];

/** A number or an object that JSON.parse changes, and not such a text in quotes. */
const CHANGED = new RegExp(
  INEXACT.map((text) => `(?<!["\\w.+-])${text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(?!["\\w.])`).join('|'),
);

/**
 * What was promised, kept apart from The Eye's own way of reading: each event that was acknowledged is stored once and
 * comes back as it was sent, and nothing is stored that nobody sent.
 */
export class Ledger {
  private readonly promised = new Map<string, Promised>();
  /** Events that were refused, or sent in requests that were no longer whole: a retry may store them yet. */
  private readonly possible = new Map<string, Set<bigint | undefined>>();

  get size(): number {
    return this.promised.size;
  }

  /** Takes note of what a request to send was answered; `answer` is missing where none came. */
  *note({ draft, tampered }: Wire, answer: Answer | undefined, sentAt: number): Generator<Fault> {
    const { body } = draft;
    if (!body) return;
    const type = body.type ?? '';
    if (tampered) {
      // Without its content type, or cut, the body may have been read in another way.
      for (const each of [type, other(type)])
        read(body.bytes, each, parseBeginning).items.forEach((item) => this.allow(item));
      return;
    }
    const { text, items } = read(body.bytes, type);
    if (answer === undefined || answer.status >= 300 || answer.body.length === 0)
      return items.forEach((each) => this.allow(each));
    const said = JSON.parse(answer.body.toString('utf8'));
    const fault = (kind: string, detail: unknown): Fault => ({
      signature: `${kind} event ${answer.status}`,
      detail: `${JSON.stringify(detail)} ${text.slice(0, 1000)}`,
    });
    const refused = new Set<number>((said.rejected ?? []).map(({ index }: { index: number }) => index));
    const ids: string[] = said.ids ?? [said.id];
    const accepted = items.filter((_, index) => !refused.has(index));
    items.filter((_, index) => refused.has(index)).forEach((each) => this.allow(each));
    if (accepted.length !== ids.length) return yield fault('miscounted', said);
    if (refused.size === 0 && CHANGED.test(text)) yield fault('inexact', said);
    for (const [index, item] of accepted.entries()) {
      const id = ids[index] ?? '';
      const why = whyBad(item);
      if (why !== undefined) {
        yield fault('accepted bad', why);
        continue;
      }
      const promise = promiseOf(item as Event, sentAt);
      const before = this.promised.get(id);
      if (before && !overlap(before, promise)) yield fault('clashing', said);
      this.promised.set(id, before ?? promise);
      const stored: Event | undefined =
        said.results?.[index] ?? (said.status === 'queued' ? undefined : said);
      if (stored?.session_id !== undefined && !keeps(stored, promise)) yield fault('changed', stored);
    }
  }

  /** Reads every event there is, page by page, once all that waits is stored. */
  async *settle(eye: TheEye): AsyncGenerator<Fault> {
    await eye.drained();
    const seen = new Set<string>();
    let next: string | null = '/events/?page_size=1000&ordering=timestamp';
    while (next !== null) {
      const { status, body }: { status: number; body: Page } = await eye.get(next);
      if (status !== 200)
        return yield { signature: `unreadable page ${status}`, detail: `${next} ${JSON.stringify(body)}` };
      for (const event of body.results) {
        if (seen.has(event.id)) yield { signature: 'event stored twice', detail: JSON.stringify(event) };
        seen.add(event.id);
        const promise = this.promised.get(event.id);
        const good = promise ? keeps(event, promise) : this.isPossible(event);
        if (!good)
          yield {
            signature: `event ${promise ? 'changed' : 'invented'}`,
            detail: JSON.stringify(event).slice(0, 2000),
          };
      }
      next = body.next;
    }
    const lost = [...this.promised.keys()].filter((id) => !seen.has(id));
    if (lost.length > 0)
      yield { signature: 'events lost', detail: `${lost.length}, e.g. ${lost.slice(0, 3).join(' ')}` };
    const [row] = await eye.sql<{ count: number }>('SELECT count(*)::int AS count FROM events');
    if (row?.count !== seen.size)
      yield {
        signature: 'list unlike table',
        detail: `${seen.size} in the list, ${row?.count} rows in the table`,
      };
  }

  private allow(item: unknown): void {
    if (whyBad(item) !== undefined) return;
    const { digest } = promiseOf(item as Event, 0);
    const times = this.possible.get(digest) ?? new Set();
    this.possible.set(digest, times.add(instantOf((item as Event).timestamp)));
  }

  private isPossible(event: Event): boolean {
    const times = this.possible.get(digestOf(event));
    return times !== undefined && (times.has(undefined) || times.has(instantOf(event.timestamp)));
  }
}

const other = (type: string): string =>
  type.includes('ndjson') ? 'application/json' : 'application/x-ndjson';

/** The events of a body, what is no JSON as undefined. */
function read(bytes: Buffer, type: string, parseText = parse): { text: string; items: unknown[] } {
  const text = bytes.toString('utf8').replace(/^\uFEFF/, '');
  if (type.toLowerCase().includes('ndjson'))
    return {
      text,
      items: text
        .split('\n')
        .map((line) => line.replace(/^\uFEFF/, ''))
        .filter((line) => line.trim() !== '')
        .map((line) => parseText(line)),
    };
  const value = parseText(text);
  return { text, items: Array.isArray(value) ? value : [value] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What a text is, or what it would be if it were cut off somewhere. */
function parseBeginning(text: string): unknown {
  let value = parse(text);
  for (const { index } of value === undefined ? text.matchAll(/[\]}]/g) : []) {
    value = parse(text.slice(0, index + 1));
    if (value !== undefined) break;
  }
  return value;
}

/** Why something can be no event, undefined where it can. */
function whyBad(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return 'no object';
  const event = item as Record<string, unknown>;
  const extra = Object.keys(event).find((name) => !FIELDS.includes(name));
  if (extra !== undefined) return `unknown field ${extra}`;
  for (const name of ['session_id', 'category', 'name']) {
    const text = event[name];
    if (typeof text !== 'string' || text === '') return `no ${name}`;
    if (Array.from(text).length > 255 || text.includes('\0') || !text.isWellFormed())
      return `${name} cannot be kept`;
  }
  const { data = {}, timestamp } = event;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'data is no object';
  if (timestamp !== undefined && instantOf(timestamp) === undefined) return 'no timestamp';
  try {
    canonicalize(data);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function promiseOf(event: Event, sentAt: number): Promised {
  const instant = instantOf(event.timestamp);
  const digest = digestOf(event);
  if (instant !== undefined) return { digest, from: instant, to: instant };
  return { digest, from: BigInt(sentAt) * 1000n, to: BigInt(Date.now() + 1) * 1000n };
}

function keeps(event: Event, { digest, from, to }: Promised): boolean {
  const instant = instantOf(event.timestamp);
  return instant !== undefined && instant >= from && instant <= to && digestOf(event) === digest;
}

const overlap = (one: Promised, two: Promised): boolean =>
  one.digest === two.digest && one.from <= two.to && two.from <= one.to;

function digestOf({ session_id, category, name, data = {} }: Event): string {
  return createHash('sha256')
    .update(String(canonicalize([session_id, category, name, data])))
    .digest('base64');
}

/** Microseconds since 1970 of a timestamp, without help of any Date. */
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
    /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:Z|([+-])(\d\d):?(\d\d)?)?$/.exec(
      typeof timestamp === 'string' ? timestamp : '',
    ) ?? [];
  if (year === undefined) return undefined;
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
