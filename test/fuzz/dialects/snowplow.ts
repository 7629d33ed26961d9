import fc from 'fast-check';
import type { Operation, Schema } from '../document.js';
import { parameterText } from '../values.js';
import type { DialectFuzzer, DialectRequest } from './dialect-fuzzer.js';
import { jsonRequests } from './json-requests.js';
import { marker } from './markers.js';

const TEXT: Schema = { type: 'string' };

const packed = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const EVENT = {
  schema: 'iglu:a/b/jsonschema/1-0-0',
  data: { schema: 'iglu:c/d/jsonschema/1-0-0', data: {} },
};

const ITEM: Schema = {
  type: 'object',
  properties: {
    e: { enum: ['ue', 'se', 'pv', 'pp', 'tr', 'ti'] },
    eid: TEXT,
    aid: TEXT,
    sid: TEXT,
    duid: TEXT,
    dtm: { enum: ['1767225600000', '0', '-1', '1e3', '99999999999999999', ''] },
    stm: { enum: ['1767225600000', '9'.repeat(400), ''] },
    se_ca: TEXT,
    se_ac: TEXT,
    ue_pr: { enum: [JSON.stringify(EVENT), '{"data":{"schema":"iglu:a/b"}}', '{"n":1e400}', '{"a":', '[]'] },
    ue_px: {
      enum: [packed(EVENT), packed([]), `${packed(EVENT)}=`, 'a', '_w', '%', packed('['.repeat(5000))],
    },
    co: { enum: [JSON.stringify(EVENT), `{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`, 'null'] },
    cx: { enum: [packed({ data: [null, { schema: 7 }] }), packed({ data: {} }), packed('')] },
  },
  required: ['e', 'eid', 'sid'],
};

const neighbour = (text: string): Record<string, string> => ({
  e: 'se',
  eid: text,
  sid: 'session',
  se_ca: 'fuzz',
  se_ac: 'neighbour',
  dtm: '1767225600000',
  stm: '1767225601000',
});

const pixelOf = (query: [string, string][], more: Partial<DialectRequest> = {}): DialectRequest => ({
  query,
  headers: [],
  body: undefined,
  neighbours: [],
  isValid: false,
  ...more,
});

/** Requests of one item in the query. */
const pixels: fc.Arbitrary<DialectRequest> = fc.oneof(
  marker.map((text) => pixelOf(Object.entries(neighbour(text)), { neighbours: [text], isValid: true })),
  fc
    .array(
      fc.oneof(
        ...Object.entries(ITEM.properties ?? {}).map(([name, schema]) =>
          parameterText(schema).map((text): [string, string] => [name, text]),
        ),
      ),
    )
    .map((query) => pixelOf(query)),
);

export const SNOWPLOW: DialectFuzzer = {
  name: 'snowplow',
  requestFor: ({ method }: Operation) =>
    method === 'GET'
      ? pixels
      : jsonRequests({
          types: ['application/json; charset=UTF-8', 'application/json', 'text/plain'],
          item: ITEM,
          neighbour,
          envelope: (data) => ({
            schema: 'iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4',
            data,
          }),
          oddEnvelopes: [(data) => data, ([item]) => ({ data: item }), (data) => ({ data: { data } })],
        }),
  isError: ({ headers, body }) => {
    if (headers.get('content-type') !== 'application/json; charset=utf-8') return false;
    const error = JSON.parse(body.toString('utf8')) as { code?: unknown; message?: unknown };
    return typeof error.code === 'string' && typeof error.message === 'string';
  },
};
