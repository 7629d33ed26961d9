import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

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
  const time = Math.max(milliseconds, 0).toString(16).padStart(12, '0');
  const digest = hash('sha256', canonical, 'hex');
  const variant = (8 + (parseInt(digest.charAt(3), 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-8${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
}

/** SHA-256 of a payload's canonical text, in hex: it stands for the payload in the unique index. */
export function dataDigest(canonicalData: string): string {
  return hash('sha256', canonicalData, 'hex');
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The end of the year 9999, beyond which no timestamp is accepted. */
const LAST_MILLISECOND = 253_402_300_799_999;

/** True for what eventId could have made. */
export function isEventId(text: string): boolean {
  return UUID.test(text) && millisecondsOf(text) <= LAST_MILLISECOND;
}

/** The milliseconds in an identifier. */
export function millisecondsOf(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
