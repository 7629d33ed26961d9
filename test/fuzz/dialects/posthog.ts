import fc from 'fast-check';
import type { Schema } from '../document.js';
import type { DialectFuzzer } from './dialect-fuzzer.js';
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

export const POSTHOG: DialectFuzzer = {
  name: 'posthog',
  requestFor: ({ method, path }) => {
    if (method === 'GET') return fc.constant(WITHOUT_BODY);
    // Those that ask for settings store nothing.
    return /\/(flags|decide)$/.test(path)
      ? batches.map((each) => ({ ...each, neighbours: [], isValid: false }))
      : batches;
  },
  isError: ({ headers, body }) => {
    if (headers.get('content-type') !== 'application/json; charset=utf-8') return false;
    const error = JSON.parse(body.toString('utf8')) as { type?: unknown; code?: unknown; detail?: unknown };
    return [error.type, error.code, error.detail].every((member) => typeof member === 'string');
  },
};
