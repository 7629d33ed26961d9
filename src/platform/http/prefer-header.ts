/**
 * Reads the preference `wait` of a `Prefer` header.
 * @param limit the most seconds that a client may ask for
 * @returns seconds; 0 without a valid `wait`, because by RFC 7240 servers ignore what they cannot parse
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.3
 */
export function preferredWait(header: string | string[] | undefined, limit: number): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d+)"?\s*(?:$|[,;])/i.exec(String(header ?? ''));
  return Math.min(Number(match?.[1] ?? 0), limit);
}
