import type { FastifyRequest } from 'fastify';
import { linkTo } from '../http/links.js';

/**
 * The address of another page of a list: that of the request, with the cursor instead of its page.
 * @returns null without a cursor
 */
export function pageLink(
  request: FastifyRequest,
  cursor: string | null,
  parameter = 'cursor',
): string | null {
  if (cursor === null) return null;
  const [path = '', query = ''] = request.url.split('?', 2);
  const parameters = new URLSearchParams(query);
  parameters.delete('page');
  parameters.set(parameter, cursor);
  return linkTo(request, `${path}?${parameters.toString()}`);
}
