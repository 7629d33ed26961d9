import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What may stand in the log and in a header of the answer as it came. */
const ACCEPTABLE = /^[\w.:+/=@-]{1,128}$/;

/** The identifier of a request: that of `X-Request-Id`, where a proxy or a sender gave a decent one, or a new one. */
export function requestId({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
}
