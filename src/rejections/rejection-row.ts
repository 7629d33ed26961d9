import { randomBytes } from 'node:crypto';
import { environment } from '../platform/config/environment.js';
import type { FieldErrors } from '../platform/http/problem.js';
import { storable } from '../platform/json/storable-text.js';
import { timeOrderedId } from '../platform/model/time-ordered-id.js';
import type { NewRejection, Outcome } from '../platform/model/rejection.js';
import type { RejectionEntity } from './rejection.entity.js';

/** A row of the table; `rejected_at` in UTC with six fractional digits where it was read. */
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
  | 'rejected_at'
>;

/** The texts by which an event is found; null where it has none. */
export type Texts = Pick<RejectionRow, 'session_id' | 'category' | 'name'>;

/** Characters that are kept of each of them: what may stand in an index. */
const TEXT_LENGTH = 255;

/** Fields of an event with errors, and characters of a message, that are kept: senders can make any number. */
const FIELDS = 50;
const MESSAGE_LENGTH = 1000;

/** What is written of a rejection. */
export function toRow(rejection: NewRejection, outcome: Outcome, now = Date.now()): RejectionRow {
  return {
    id: timeOrderedId(now, randomBytes(10).toString('hex')),
    event_id: rejection.eventId ?? null,
    application: rejection.application,
    code: rejection.code,
    errors: boundedErrors(rejection.errors),
    ...eventText(rejection),
    outcome,
    ...textsOf(rejection.event),
    rejected_at: new Date(now).toISOString(),
  };
}

/** The event of a row as it came: what its JSON says or, where that cannot be told exactly, the text. */
export function eventOf({ code, event, whole }: Pick<RejectionRow, 'code' | 'event' | 'whole'>): unknown {
  if (event === null) return null;
  const isText = code !== 'malformed_json' && (!whole || code === 'not_exact' || code === 'too_deep');
  return isText ? event : JSON.parse(event);
}

/** The text of a whole event as it came. */
export function textOf({ code, event }: Pick<RejectionRow, 'code' | 'event'>): string {
  return code === 'malformed_json' ? (JSON.parse(event ?? '""') as string) : (event ?? '');
}

export function textsOf(event: unknown): Texts {
  const { session_id, category, name } = (event ?? {}) as Record<keyof Texts, unknown>;
  return { session_id: boundedText(session_id), category: boundedText(category), name: boundedText(name) };
}

/**
 * The event as JSON text, whose escapes hold what PostgreSQL's text cannot (U+0000, half a surrogate pair); what is no
 * JSON becomes a JSON string.
 */
function eventText({ code, event, json }: NewRejection): Pick<RejectionRow, 'event' | 'whole'> {
  if (event === undefined) return { event: null, whole: false };
  const isText = code === 'malformed_json' && typeof event === 'string';
  const text = isText ? event : (json ?? JSON.stringify(event));
  const kept = head(text, environment.REJECTION_EVENT_LIMIT);
  return { event: isText ? JSON.stringify(kept) : kept, whole: kept.length === text.length };
}

/** The first so many bytes of a text in UTF-8, in whole characters. A copy, which does not keep all the text in memory. */
export function head(text: string, bytes: number): string {
  const start = Buffer.from(text.slice(0, bytes));
  let end = Math.min(bytes, start.length);
  while (end > 0 && end < start.length && ((start[end] as number) & 0xc0) === 0x80) end--;
  return start.toString('utf8', 0, end);
}

function boundedText(value: unknown): string | null {
  return typeof value === 'string' ? storable(characters(value, TEXT_LENGTH)) : null;
}

/** Errors that PostgreSQL can keep. */
export function boundedErrors(errors: FieldErrors): FieldErrors {
  return Object.fromEntries(
    Object.entries(errors)
      .slice(0, FIELDS)
      .map(([field, messages]) => [
        storable(characters(field, TEXT_LENGTH)),
        messages.slice(0, FIELDS).map((message) => storable(characters(message, MESSAGE_LENGTH))),
      ]),
  );
}

/** The first so many characters, as people count them. */
function characters(text: string, count: number): string {
  return text.length <= count
    ? text
    : Array.from(text.slice(0, 2 * count))
        .slice(0, count)
        .join('');
}
