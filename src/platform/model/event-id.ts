import { hash } from 'node:crypto';
import { timeOrderedId } from './time-ordered-id.js';
import { canonicalJson } from '../json/canonical-json.js';

export { isTimeOrderedId as isEventId, millisecondsOf } from './time-ordered-id.js';

/** The fields that make an event what it is. */
export interface EventFields {
  /** Name of the application that sent it. */
  application: string;
  session_id: string;
  category: string;
  name: string;
  /** RFC 8785 text of the payload. */
  canonicalData: string;
  /** Canonical spelling, UTC with six digits. */
  timestamp: string;
}

/**
 * The identifier of an event: a UUIDv8 (RFC 9562) of 48 bits of its timestamp in milliseconds, then 74 bits of the
 * SHA-256 of all its fields in canonical form (RFC 8785). Known before the event is stored, the same for a retry, and
 * sorted by time. Before 1970 the time bits stay 0.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function eventId(fields: EventFields, milliseconds: number): string {
  const canonical =
    `{"application":${canonicalJson(fields.application)},"category":${canonicalJson(fields.category)},` +
    `"data":${fields.canonicalData},"name":${canonicalJson(fields.name)},` +
    `"session_id":${canonicalJson(fields.session_id)},"timestamp":"${fields.timestamp}"}`;
  return timeOrderedId(milliseconds, hash('sha256', canonical, 'hex'));
}

/** SHA-256 of a payload's canonical text, in hex: it stands for the payload in the unique index. */
export function dataDigest(canonicalData: string): string {
  return hash('sha256', canonicalData, 'hex');
}
