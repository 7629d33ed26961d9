import fc from 'fast-check';
import type { HttpResponse } from '../connection.js';
import type { Schema } from '../document.js';
import type { DialectFuzzer } from './dialect-fuzzer.js';
import { jsonRequests, WITHOUT_BODY } from './json-requests.js';

const TEXT: Schema = { type: 'string' };
const OBJECT: Schema = { type: 'object' };

const ITEM: Schema = {
  type: 'object',
  properties: {
    type: { enum: ['track', 'page', 'identify', 'group', 'alias', 'screen'] },
    event: TEXT,
    name: TEXT,
    messageId: TEXT,
    anonymousId: TEXT,
    userId: TEXT,
    timestamp: { type: 'string', format: 'date-time' },
    properties: OBJECT,
    context: OBJECT,
  },
  required: ['type', 'event', 'anonymousId', 'messageId'],
};

/** Paths that take a batch. */
const BATCHES = /\/(batch|import|b)$/;

const batches = jsonRequests({
  types: ['application/json', 'text/plain'],
  item: ITEM,
  neighbour: (marker) => ({
    type: 'track',
    event: 'Neighbour',
    anonymousId: 'anonymous',
    messageId: marker,
    timestamp: '2026-01-01T00:00:00.000Z',
  }),
  envelope: (batch) => ({ batch, sentAt: '2026-01-01T00:00:01.000Z' }),
  oddEnvelopes: [
    (batch) => ({ batch: { batch } }),
    (batch) => ({ batch, writeKey: batch }),
    (batch) => batch,
    ([item]) => item,
  ],
});

export const SEGMENT: DialectFuzzer = {
  name: 'segment',
  requestFor: ({ method, path }) => {
    if (method === 'GET') return fc.constant(WITHOUT_BODY);
    // Other paths take a single event, and report if it is wrong.
    return BATCHES.test(path)
      ? batches
      : batches.map((each) => ({ ...each, neighbours: [], isValid: false }));
  },
  isError: ({ headers, body }: HttpResponse) => {
    if (headers.get('content-type') !== 'application/json; charset=utf-8') return false;
    const error = JSON.parse(body.toString('utf8')) as { code?: unknown; message?: unknown };
    return typeof error.code === 'string' && typeof error.message === 'string';
  },
};
