import { hash } from 'node:crypto';
import { canonicalJson } from '../json/canonical-json.js';
import { timeOrderedId } from './time-ordered-id.js';

export { isTimeOrderedId as isEventId, millisecondsOf } from './time-ordered-id.js';

/** The fields that identify an event. */
export interface EventIdentity {
  /** Name of the application that sent it. */
  application: string;
  session_id: string;
  category: string;
  name: string;
  /** RFC 8785 text of the payload. */
  canonicalData: string;
  /** Canonical timestamp: UTC with six fractional digits. */
  timestamp: string;
}

/**
 * The identifier of an event: a UUIDv8 of 48 bits of its timestamp in milliseconds and 74 bits of the SHA-256 of all its
 * fields in canonical form (RFC 8785). It is known before the event is stored, is the same for a retry, and sorts by time.
 * The time bits of a timestamp before 1970 are 0.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function eventId(event: EventIdentity, milliseconds: number): string {
  return idOfCanonical(canonicalEvent(event), milliseconds);
}

/** The same of the canonical text of all fields. */
export const idOfCanonical = (canonical: string, milliseconds: number): string =>
  timeOrderedId(milliseconds, hash('sha256', canonical, 'hex'));

/** The canonical text of the fields that identify an event (RFC 8785). */
export function canonicalEvent(event: EventIdentity): string {
  return (
    `{"application":${canonicalJson(event.application)},"category":${canonicalJson(event.category)},` +
    `"data":${event.canonicalData},"name":${canonicalJson(event.name)},` +
    `"session_id":${canonicalJson(event.session_id)},"timestamp":"${event.timestamp}"}`
  );
}

/** SHA-256 of a canonical payload in hex, which represents the payload in the unique index. */
export function dataDigest(canonicalData: string): string {
  return hash('sha256', canonicalData, 'hex');
}
