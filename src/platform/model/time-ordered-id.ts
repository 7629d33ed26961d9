const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The end of the year 9999, the last timestamp that is accepted. */
const MAX_MILLISECONDS = 253_402_300_799_999;

/**
 * A UUIDv8 (RFC 9562) of 48 bits of a time in milliseconds and 74 of the given bits. Ids sort by time, so an index on them
 * grows at its end. The time bits of a time before 1970 are 0.
 * @param digits at least 19 hex digits
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function timeOrderedId(milliseconds: number, digits: string): string {
  const time = Math.max(milliseconds, 0).toString(16).padStart(12, '0');
  const variant = (8 + (parseInt(digits.charAt(3), 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-8${digits.slice(0, 3)}-${variant}${digits.slice(4, 7)}-${digits.slice(7, 19)}`;
}

/** True for every result of timeOrderedId. */
export function isTimeOrderedId(text: string): boolean {
  return UUID.test(text) && millisecondsOf(text) <= MAX_MILLISECONDS;
}

/** The time of an id, in milliseconds since 1970. */
export function millisecondsOf(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
