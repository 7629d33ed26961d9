import type { FastifyRequest } from 'fastify';
import { isApiKey, KEY_START } from '../../auth/api-key.js';
import { malformedJson } from '../../platform/http/http-errors.js';
import type { Message } from '../dialect.js';
import { openEnvelope } from '../envelope.js';

/** The member `aid` of an item, if it has the form of a key. The quotes of a member within a text are escaped. */
const KEY_AS_AID = /("aid"\s*:\s*")(eye_[a-z]+_[\w-]{43})(?=")/g;

/** Finds the items of a POST, or makes the one of a GET, whose parameters are its members. */
export async function openRequest(bytes: Buffer, request: FastifyRequest): Promise<Message> {
  if (request.method !== 'POST') return { items: itemOf(request.query as Record<string, unknown>) };
  const { items, members } = await openEnvelope(bytes, 'data');
  if (!Array.isArray(members.data))
    throw malformedJson('The body must be an object with an array `data` of events.');
  return withoutKeys(items);
}

function itemOf(parameters: Readonly<Record<string, unknown>>): Buffer {
  const members = Object.entries(parameters)
    .filter(([name]) => name !== 'key')
    .map(([name, value]) => [name, name === 'aid' && isApiKey(value) ? '' : value]);
  return Buffer.from(JSON.stringify(Object.fromEntries(members)));
}

/**
 * Takes the keys out of items before anything reads them, so that they are in no refused event. Trackers have no other place
 * for a key than the id of their application, which is the same in all items of a request.
 */
function withoutKeys(items: Buffer): Message {
  if (!items.includes(KEY_START)) return { items };
  let key: string | undefined;
  // Latin-1 keeps all bytes, also those that are not UTF-8.
  const text = items.toString('latin1').replace(KEY_AS_AID, (_, before: string, found: string) => {
    key ??= found;
    return before;
  });
  return { items: Buffer.from(text, 'latin1'), key };
}
