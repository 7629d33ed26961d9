import fc from 'fast-check';
import type { Schema } from '../document.js';
import { peculiarJson, stringify } from '../values.js';
import type { DialectFuzzer, DialectRequest } from './dialect-fuzzer.js';
import { jsonRequests } from './json-requests.js';
import { marker } from './markers.js';

const TEXT: Schema = { type: 'string' };

const ITEM: Schema = {
  type: 'object',
  properties: {
    specversion: { enum: ['1.0', '0.3', 1] },
    id: TEXT,
    source: TEXT,
    type: TEXT,
    subject: TEXT,
    sessionid: TEXT,
    time: { type: 'string', format: 'date-time' },
    data: {},
  },
  required: ['specversion', 'id', 'source', 'type'],
};

const neighbour = (id: string) => ({
  specversion: '1.0',
  id,
  source: '/fuzz',
  type: 'com.example.neighbour',
  time: '2026-01-01T00:00:00.000Z',
});

const batches = jsonRequests({
  types: ['application/cloudevents-batch+json', 'application/cloudevents-batch+json; charset=utf-8'],
  item: ITEM,
  neighbour,
  envelope: (items) => items,
  oddEnvelopes: [([item]) => item, (items) => ({ items })],
});

/** Events whose attributes are headers. */
const binary: fc.Arbitrary<DialectRequest> = fc
  .tuple(marker, peculiarJson, fc.constantFrom('application/json', 'text/plain', 'application/octet-stream'))
  .map(([id, data, type]) => ({
    query: [],
    headers: Object.entries(neighbour(id)).map(([name, value]): [string, string] => [`ce-${name}`, value]),
    body: { type, bytes: Buffer.from(stringify(data)) },
    neighbours: [id],
    isValid: false,
  }));

export const CLOUDEVENTS: DialectFuzzer = {
  name: 'cloudevents',
  requestFor: () =>
    fc.oneof(
      // A request none of whose events is accepted is refused.
      batches.map((each) => ({ ...each, isValid: each.isValid && each.neighbours.length > 0 })),
      binary,
    ),
  // Problem documents, as those of the operation whose path it shares.
  isError: () => false,
};
