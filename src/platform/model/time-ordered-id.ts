const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

/** The end of the year 9999, beyond which no timestamp is accepted. */
const LAST_MILLISECOND = 253_402_300_799_999;

/**
 * A UUIDv8 (RFC 9562): 48 bits of a time in milliseconds, then 74 of the given bits. So ids sort by time, and an index on
 * them grows at its end. Before 1970 the time bits stay 0.
 * @param digits 19 hex digits or more
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-8
 */
export function timeOrderedId(milliseconds: number, digits: string): string {
  const time = Math.max(milliseconds, 0).toString(16).padStart(12, '0');
  const variant = (8 + (parseInt(digits.charAt(3), 16) & 3)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-8${digits.slice(0, 3)}-${variant}${digits.slice(4, 7)}-${digits.slice(7, 19)}`;
}

/** True for what timeOrderedId could have made. */
export function isTimeOrderedId(text: string): boolean {
  return UUID.test(text) && millisecondsOf(text) <= LAST_MILLISECOND;
}

/** The milliseconds in an identifier. */
export function millisecondsOf(id: string): number {
  return parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
