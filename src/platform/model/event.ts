import type { ValidEvent } from '../../events/dto/create-event.dto.js';
import { dataDigest, eventId } from './event-id.js';

/** An event that is accepted: a row of the table, and in this very form an item of a job in Redis. */
export interface NewEvent {
  /** UUIDv8, known before the event is stored. */
  id: string;
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  /** UTC with six fractional digits. */
  timestamp: string;
  /** 64 hex digits. */
  data_sha256: string;
}

export type SentEvent = Omit<NewEvent, 'id' | 'application' | 'data_sha256'>;

/** Gives a valid event of an application its identity. */
export function toNewEvent(
  application: string,
  { session_id, category, name, data, timestamp }: ValidEvent,
): NewEvent {
  const fields = {
    application,
    session_id,
    category,
    name,
    canonicalData: data.canonical,
    timestamp: timestamp.text,
  };
  // Field by field: an object that is spread into another costs as much as hashing it.
  return {
    id: eventId(fields, timestamp.milliseconds),
    application,
    session_id,
    category,
    name,
    data: data.value,
    timestamp: timestamp.text,
    data_sha256: dataDigest(data.canonical),
  };
}

/** What an application sent, or would have to send, to make this event. */
export function fieldsOf({ session_id, category, name, data, timestamp }: NewEvent): SentEvent {
  return { session_id, category, name, data, timestamp };
}
