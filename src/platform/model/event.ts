import type { Timestamp } from '../time/timestamp.js';
import { canonicalEvent, dataDigest, idOfCanonical } from './event-id.js';

/** What an application sends. */
export interface EventFields {
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  /** UTC with six fractional digits, e.g. `2021-01-01T09:15:29.243860Z`. */
  timestamp: string;
}

/** An event as lists, exports and the stream return it. */
export interface StoredEvent extends EventFields {
  /** UUIDv8, known before the event is stored. */
  id: string;
  /** Name of the application that sent it. */
  application: string;
}

/** The longest skew of a clock that is kept, in milliseconds: what the column holds, 24 days. */
const MAX_SKEW_MS = 2 ** 31 - 1;

/** A stored event whose payload stays the JSON text that PostgreSQL returns. */
export type StoredEventText = Omit<StoredEvent, 'data'> & { data: string };

/** An accepted event: an item in Redis and, in the same form, a row of the table. */
export interface NewEvent extends StoredEvent {
  /** SHA-256 of the canonical payload, 64 hex digits. */
  data_sha256: string;
}

/** An event that was just read, with its JSON text, which stays the same on the way to PostgreSQL. */
export interface ReadEvent extends NewEvent {
  readonly text: string;
  /** Bytes by which the text of its payload grows in PostgreSQL, which writes numbers out. */
  readonly growth: number;
}

/** The bytes that the texts of events grow by in PostgreSQL. */
export const growthOf = (events: readonly ReadEvent[]): number =>
  events.reduce((sum, { growth }) => sum + growth, 0);

/** Conditions on stored events. An absent one matches every event. */
export interface EventFilter {
  application?: string;
  session_id?: string;
  category?: string;
  name?: string;
  /** Canonical timestamps, both inclusive. */
  timestamp_after?: string;
  timestamp_before?: string;
}

/** A payload with its canonical text (RFC 8785). */
export interface Payload {
  readonly value: Record<string, unknown>;
  readonly canonical: string;
  /** The bytes that its text grows by in PostgreSQL, which writes out numbers. Zero without exponents. */
  readonly growth: number;
}

/** A valid event whose payload and timestamp are parsed, but which has no identity yet. */
export interface ParsedEvent {
  readonly session_id: string;
  readonly category: string;
  readonly name: string;
  readonly data: Payload;
  readonly timestamp: Timestamp;
}

/** Gives an event of an application its identity. */
export function createEvent(
  application: string,
  { session_id, category, name, data, timestamp }: ParsedEvent,
): ReadEvent {
  const canonical = canonicalEvent({
    application,
    session_id,
    category,
    name,
    canonicalData: data.canonical,
    timestamp: timestamp.text,
  });
  const id = idOfCanonical(canonical, timestamp.milliseconds);
  const data_sha256 = dataDigest(data.canonical);
  // Spreading an object costs as much as hashing it, so the fields are listed.
  return {
    id,
    application,
    session_id,
    category,
    name,
    data: data.value,
    timestamp: timestamp.text,
    data_sha256,
    text: `{"id":"${id}","data_sha256":"${data_sha256}",${canonical.slice(1)}`,
    growth: data.growth,
  };
}

/**
 * An event with the skew of its client's clock, which is stored beside it and is no part of its identity: it is another one each
 * time that the event is sent.
 * @param skewMs milliseconds by which the server's clock was ahead when the event arrived, with the time that it travelled
 */
export function withClockSkew(event: ReadEvent, skewMs: number): ReadEvent {
  const bounded = Math.max(-MAX_SKEW_MS, Math.min(MAX_SKEW_MS, Math.round(skewMs)));
  return { ...event, text: `${event.text.slice(0, -1)},"clock_skew_ms":${bounded}}` };
}

/** An accepted event as it is returned once it is stored. */
export function toStoredEvent({
  id,
  application,
  session_id,
  category,
  name,
  data,
  timestamp,
}: StoredEvent): StoredEvent {
  return { id, application, session_id, category, name, data, timestamp };
}

/** The fields that an application sent, or would send to make this event. */
export function fieldsOf({ session_id, category, name, data, timestamp }: EventFields): EventFields {
  return { session_id, category, name, data, timestamp };
}
