import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Identifiers that are safe to copy into the log and into a response header. */
const ACCEPTABLE = /^[\w.:+/=@-]{1,128}$/;

/** The identifier of a request: a valid `X-Request-Id` of the client or a proxy, or a new UUID. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
}
