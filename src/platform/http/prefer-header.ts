/**
 * Seconds to wait by a `Prefer` header, at most `limit`; 0 where it has no `wait` that can be understood, which by
 * RFC 7240 counts as none.
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.3
 */
export function preferredWait(header: string | string[] | undefined, limit: number): number {
  const match = /(?:^|[,;\s])wait\s*=\s*"?(\d+)"?\s*(?:$|[,;])/i.exec(String(header ?? ''));
  return Math.min(Number(match?.[1] ?? 0), limit);
}
