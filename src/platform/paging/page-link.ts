import type { FastifyRequest } from 'fastify';

/** The address of the page at a cursor: the request's own, with the cursor in place of its page. */
export function pageLink(
  request: FastifyRequest,
  cursor: string | null,
  parameter = 'cursor',
): string | null {
  if (cursor === null) return null;
  // Whoever asks writes the Host header, and may write anything.
  const origin = `${request.protocol}://${request.host}`;
  const url = new URL(request.url, URL.canParse(origin) ? origin : `${request.protocol}://localhost`);
  url.searchParams.delete('page');
  url.searchParams.set(parameter, cursor);
  return url.href;
}
