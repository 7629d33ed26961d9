import type { FastifyRequest } from 'fastify';

/**
 * The URL of another page of a list: that of the request, with the cursor instead of its page.
 * @returns null without a cursor
 */
export function pageLink(
  request: FastifyRequest,
  cursor: string | null,
  parameter = 'cursor',
): string | null {
  if (cursor === null) return null;
  // A client can send any Host header.
  const origin = `${request.protocol}://${request.host}`;
  const url = new URL(request.url, URL.canParse(origin) ? origin : `${request.protocol}://localhost`);
  url.searchParams.delete('page');
  url.searchParams.set(parameter, cursor);
  return url.href;
}
