import fc from 'fast-check';
import type { Schema } from '../document.js';
import type { DialectFuzzer, DialectRequest } from './dialect-fuzzer.js';
import { jsonRequests, WITHOUT_BODY } from './json-requests.js';

const TEXT: Schema = { type: 'string' };

const ITEM: Schema = {
  type: 'object',
  properties: {
    event: TEXT,
    uuid: TEXT,
    distinct_id: TEXT,
    timestamp: { type: 'string', format: 'date-time' },
    offset: { type: 'integer' },
    properties: {
      type: 'object',
      properties: { $session_id: TEXT, token: TEXT, distinct_id: TEXT, $set: { type: 'object' } },
    },
  },
  required: ['event', 'uuid', 'distinct_id'],
};

const batches = jsonRequests({
  types: ['application/json', 'text/plain', 'application/x-www-form-urlencoded'],
  item: ITEM,
  neighbour: (marker) => ({
    event: 'neighbour',
    uuid: marker,
    distinct_id: 'user',
    timestamp: '2026-01-01T00:00:00.000Z',
    properties: { $session_id: 'session' },
  }),
  envelope: (batch) => ({ batch, sent_at: '2026-01-01T00:00:01.000Z' }),
  oddEnvelopes: [
    (data) => ({ data }),
    (batch) => batch,
    ([item]) => item,
    (batch) => ({ batch: { batch } }),
    (batch) => ({ batch, api_key: batch }),
  ],
});

/** The same in the field of a form, as it is or in base64. */
const forms = fc
  .tuple(batches, fc.constantFrom('base64' as const, 'utf8' as const))
  .map(([{ body, ...request }, encoding]): DialectRequest => {
    const data = encodeURIComponent((body?.bytes ?? Buffer.alloc(0)).toString(encoding));
    return {
      ...request,
      body: { type: 'application/x-www-form-urlencoded', bytes: Buffer.from(`data=${data}`) },
    };
  });

const events = fc.oneof({ arbitrary: batches, weight: 4 }, forms);

export const POSTHOG: DialectFuzzer = {
  name: 'posthog',
  requestFor: ({ method, path }) => {
    if (method === 'GET') return fc.constant(WITHOUT_BODY);
    // Those that ask for settings store nothing.
    return /\/(flags|decide)$/.test(path)
      ? events.map((each) => ({ ...each, neighbours: [], isValid: false }))
      : events;
  },
  isError: ({ headers, body }) => {
    if (headers.get('content-type') !== 'application/json; charset=utf-8') return false;
    const error = JSON.parse(body.toString('utf8')) as { type?: unknown; code?: unknown; detail?: unknown };
    return [error.type, error.code, error.detail].every((member) => typeof member === 'string');
  },
};
