import { randomBytes } from 'node:crypto';
import { maskKeys } from '../auth/api-key.js';
import { environment } from '../platform/config/environment.js';
import type { FieldErrors } from '../platform/errors/domain-error.js';
import { isDeeperThan } from '../platform/json/exact-json.js';
import { toStorable } from '../platform/json/storable-text.js';
import { timeOrderedId } from '../platform/model/time-ordered-id.js';
import type { NewRejection, RejectionOutcome } from '../platform/model/rejection.js';
import type { RejectionEntity } from './rejection.entity.js';

/** A row of the table. When it was read, `rejected_at` is in UTC with six fractional digits. */
export type RejectionRow = Pick<
  RejectionEntity,
  | 'id'
  | 'event_id'
  | 'application'
  | 'code'
  | 'errors'
  | 'event'
  | 'whole'
  | 'outcome'
  | 'session_id'
  | 'category'
  | 'name'
  | 'dialect'
  | 'rejected_at'
>;

/** The texts by which rejections are filtered; null if the event has none. */
export type FilterTexts = Pick<RejectionRow, 'session_id' | 'category' | 'name'>;

/** Characters that are kept of each of them, because they are indexed. */
const MAX_TEXT_LENGTH = 255;

/** Limits of the errors that are kept: senders can cause any number of them. */
const MAX_FIELDS = 50;
const MAX_MESSAGES = 50;
const MAX_MESSAGE_LENGTH = 1000;

/** The row of a rejection. */
export function toRow(rejection: NewRejection, outcome: RejectionOutcome, now = Date.now()): RejectionRow {
  return {
    id: timeOrderedId(now, randomBytes(10).toString('hex')),
    event_id: rejection.eventId ?? null,
    application: rejection.application,
    code: rejection.code,
    errors: boundedErrors(rejection.errors),
    ...eventText(rejection),
    outcome,
    ...textsOf(rejection.texts ?? rejection.event),
    dialect: rejection.dialect ?? null,
    rejected_at: new Date(now).toISOString(),
  };
}

/**
 * The event of a row as it was sent, in JSON: a value, or a JSON string of its text if the value would not be exact, or is nested
 * so deep that some parsers refuse it. It is never parsed here: that could change it, and formatting it again recurses.
 */
export function eventJsonOf({ code, event, whole }: Pick<RejectionRow, 'code' | 'event' | 'whole'>): string {
  if (event === null) return 'null';
  if (isNoJson(code)) return event;
  // The event is the first level; the limit counts from its `data`.
  const isText = !whole || code === 'not_exact' || isDeeperThan(environment.DEPTH_LIMIT + 1, event);
  return isText ? JSON.stringify(event) : event;
}

/** Whether an event was no JSON, so that its text is kept as a JSON string. */
const isNoJson = (code: string): boolean => code === 'malformed_json' || code === 'not_utf8';

/** The text of a whole event as it was sent. */
export function eventTextOf({ code, event }: Pick<RejectionRow, 'code' | 'event'>): string {
  return isNoJson(code) ? (JSON.parse(event ?? '""') as string) : (event ?? '');
}

/** The row without any character beyond ASCII: the JSON text of its event by escapes, the other texts by `?`. */
export function toAscii(row: RejectionRow): RejectionRow {
  const plain = (text: string | null): string | null => text && text.replace(/[^\x20-\x7e]/gu, '?');
  const { event, errors, session_id, category, name } = row;
  return {
    ...row,
    event:
      event &&
      event.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
    errors: Object.fromEntries(
      Object.entries(errors).map(([field, messages]) => [
        field,
        messages.map((message) => plain(message) ?? ''),
      ]),
    ),
    session_id: plain(session_id),
    category: plain(category),
    name: plain(name),
  };
}

export function textsOf(event: unknown): FilterTexts {
  const { session_id, category, name } = (event ?? {}) as Record<keyof FilterTexts, unknown>;
  return { session_id: boundedText(session_id), category: boundedText(category), name: boundedText(name) };
}

/**
 * The event as JSON text, whose escapes represent what PostgreSQL's text type cannot (U+0000, lone surrogates). Text that is
 * not JSON becomes a JSON string.
 */
function eventText({ code, event, json, dialect }: NewRejection): Pick<RejectionRow, 'event' | 'whole'> {
  if (event === undefined) return { event: null, whole: false };
  const isText = isNoJson(code) && typeof event === 'string';
  const sent = isText ? event : (json ?? JSON.stringify(event));
  // Clients of some protocols put the key into each event.
  const text = dialect === undefined ? sent : maskKeys(sent);
  const stored = head(text, environment.REJECTION_EVENT_LIMIT);
  // Text that was not UTF-8 lost bytes when it was decoded.
  const whole = stored.length === text.length && code !== 'not_utf8';
  return { event: isText ? JSON.stringify(stored) : stored, whole };
}

/**
 * As much of a text as a rejection keeps, and a little more if it is longer, so that it is known to be cut.
 * @param start and `end`: offsets of the text in the bytes
 */
export function keptText(bytes: Buffer, start = 0, end = bytes.length): string {
  return bytes.toString('utf8', start, Math.min(end, start + environment.REJECTION_EVENT_LIMIT + 4));
}

/** The first `bytes` bytes of a text in UTF-8, cut between characters. A copy, so that the whole text can be freed. */
export function head(text: string, bytes: number): string {
  const start = Buffer.from(text.slice(0, bytes));
  let end = Math.min(bytes, start.length);
  while (end > 0 && end < start.length && ((start[end] as number) & 0xc0) === 0x80) end--;
  return start.toString('utf8', 0, end);
}

function boundedText(value: unknown): string | null {
  return typeof value === 'string' ? toStorable(characters(value, MAX_TEXT_LENGTH)) : null;
}

/** Errors in a size and form that PostgreSQL can store. */
export function boundedErrors(errors: FieldErrors): FieldErrors {
  return Object.fromEntries(
    Object.entries(errors)
      .slice(0, MAX_FIELDS)
      .map(([field, messages]) => [
        toStorable(characters(field, MAX_TEXT_LENGTH)),
        messages.slice(0, MAX_MESSAGES).map((message) => toStorable(characters(message, MAX_MESSAGE_LENGTH))),
      ]),
  );
}

/** The first `count` Unicode code points of a text. */
function characters(text: string, count: number): string {
  return text.length <= count
    ? text
    : Array.from(text.slice(0, 2 * count))
        .slice(0, count)
        .join('');
}
