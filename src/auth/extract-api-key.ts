import type { IncomingHttpHeaders } from 'node:http';
import { KEY_START } from './api-key.js';

/**
 * What a request presents as its key, of any form: the header `X-API-Key`, a bearer token, or the user name of Basic.
 * @returns undefined if the headers hold no key
 */
export function extractApiKey(headers: IncomingHttpHeaders): unknown {
  if (headers['x-api-key'] !== undefined) return headers['x-api-key'];
  const [, scheme = '', credentials = ''] = /^(\S+) +(\S+)$/.exec(headers.authorization ?? '') ?? [];
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return credentials;
    case 'basic': {
      const [user = ''] = Buffer.from(credentials, 'base64').toString('utf8').split(':', 1);
      // A proxy in front of The Eye may use Basic for users of its own, and passes their credentials on.
      return user.startsWith(KEY_START) ? user : undefined;
    }
    default:
      return undefined;
  }
}
