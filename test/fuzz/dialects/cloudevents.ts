import fc from 'fast-check';
import type { Schema } from '../document.js';
import { headerText } from '../texts.js';
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

const neighbour = (id: string): Record<string, string> => ({
  specversion: '1.0',
  id,
  source: '/fuzz',
  type: 'com.example.neighbour',
  time: '2026-01-01T00:00:00.000Z',
});

const batched = jsonRequests({
  types: ['application/cloudevents-batch+json', 'application/cloudevents-batch+json; charset=utf-8'],
  item: ITEM,
  neighbour,
  envelope: (items) => items,
  oddEnvelopes: [([item]) => item, (items) => [items], (items) => ({ items })],
});

const structured = jsonRequests({
  types: ['application/cloudevents+json', 'Application/CloudEvents+JSON;charset=UTF-8'],
  item: ITEM,
  neighbour,
  envelope: ([item]) => item,
  oddEnvelopes: [(items) => items],
  maxItems: 1,
});

const headersOf = (attributes: Record<string, string>): [string, string][] =>
  Object.entries(attributes).map(([name, value]) => [`ce-${name}`, value]);

const JSON_BODY = { type: 'application/json', bytes: Buffer.from('{"n":1}') };

/** Other formats of an event, and a content type that is none, among the types of data. */
const DATA_TYPES = [
  undefined,
  'application/json',
  'application/vnd.example+json',
  'text/plain',
  'application/xml; charset=utf-8',
  'application/octet-stream',
  'application/cloudevents+avro',
  'constructor',
  '',
];

/** An event whose attributes stand in headers, beside its data in the body. */
const binary: fc.Arbitrary<DialectRequest> = fc.oneof(
  marker.map((text) => ({
    query: [],
    headers: headersOf(neighbour(text)),
    body: JSON_BODY,
    neighbours: [text],
    isValid: true,
  })),
  fc
    .record({
      attributes: fc.dictionary(
        fc.constantFrom(...Object.keys(ITEM.properties ?? {}), '__proto__', 'x', ''),
        headerText,
      ),
      type: fc.constantFrom(...DATA_TYPES),
      bytes: fc.oneof(
        fc.json().map((text) => Buffer.from(text)),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      ),
    })
    .map(({ attributes, type, bytes }) => ({
      query: [],
      headers: headersOf({ ...neighbour('fuzz'), ...attributes }),
      body: { type, bytes },
      neighbours: [],
      isValid: false,
    })),
);

export const CLOUDEVENTS: DialectFuzzer = {
  name: 'cloudevents',
  requestFor: () =>
    fc.oneof(
      // A request none of whose events is accepted is refused.
      fc
        .oneof(batched, structured)
        .map((each) => ({ ...each, isValid: each.isValid && each.neighbours.length > 0 })),
      binary,
    ),
  // Problem documents, as those of the operation whose path it shares.
  isError: () => false,
};
