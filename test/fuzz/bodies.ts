import fc from 'fast-check';
import type { Schema } from './document.js';
import { type Encoded, encoding } from './encodings.js';
import { nearlyValid, peculiarJson, stringify, valid } from './values.js';

/** The body of a request and its content type. */
export interface Body {
  type: string | undefined;
  /** The content. */
  bytes: Buffer;
  /** What is sent instead, if it is encoded. */
  encoded?: Encoded | undefined;
}

const MAX_BODY_BYTES = 5 * 1024 * 1024;

const CONTENT_TYPES = [
  undefined,
  '',
  'application/json',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
  'application/json; charset=latin1',
  'application/json; charset=__proto__',
  'APPLICATION/JSON',
  'application/json, application/json',
  'application/vnd.example+json',
  'application/problem+json',
  'application/ndjson',
  'application/jsonl',
  'application/x-jsonlines; charset=utf-8',
  'application/x-ndjson',
  'application/x-ndjson; charset=utf-16',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'text/plain',
  'text/plain; charset=utf-8',
  '*/*',
  '/',
  'constructor',
  `application/${'x'.repeat(2000)}`,
];

/** Bytes that are invalid UTF-8 or that confuse parsers of JSON or of lines. */
const ODD_BYTES = [
  [0xff],
  [0xc0, 0xaf],
  [0xed, 0xa0, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0xef, 0xbb, 0xbf],
  [0xfe, 0xff],
  [0],
  [0x0a],
  [0x0d, 0x0a],
  [0x0b],
  [0xc2, 0xa0],
  [0xe2, 0x80, 0xa8],
  [0x2c],
  [0x22],
  [0x5c],
  [0x7d],
];

/** Bodies at or beyond a limit, created lazily to save memory. */
const OVERSIZED_BODIES: Record<string, () => string | Buffer> = {
  'a body at its limit': () => `{}${' '.repeat(MAX_BODY_BYTES - 2)}`,
  'a body past its limit': () => `{}${' '.repeat(MAX_BODY_BYTES - 1)}`,
  'as many events as may be': () => `[${Array(5000).fill('{}').join(',')}]`,
  'one event too many': () => `[${Array(5001).fill('{}').join(',')}]`,
  'one line too many': () => '{}\n'.repeat(5001),
  'many blank lines': () => '\n'.repeat(100_000),
  'as many blank lines as fit': () => '\n'.repeat(MAX_BODY_BYTES),
  'as many bytes that are no UTF-8 as fit': () => Buffer.alloc(MAX_BODY_BYTES, 0xff),
  'deep arrays': () => '['.repeat(200_000),
  'deep objects': () => '{"a":'.repeat(100_000),
  'one long number': () => `{"schema":${'1'.repeat(500_000)}}`,
  'one long text': () => JSON.stringify({ session_id: 'x'.repeat(1_000_000), category: 'a', name: 'b' }),
  'many keys': () =>
    `{"data":{${Array.from({ length: 50_000 }, (_, index) => `"${index}":0`).join(',')}},"session_id":"a","category":"b","name":"c"}`,
  'as many keys as fit': () =>
    `{"data":{${Array.from({ length: 450_000 }, (_, index) => `"${index}":0`).join(',')}}}`,
  'as many unknown fields as fit': () =>
    `{${Array.from({ length: 450_000 }, (_, index) => `"${index}":0`).join(',')}}`,
  'many escaped keys': () =>
    `{"data":{${Array.from({ length: 200_000 }, (_, index) => `"\\u0061${index}":0`).join(',')}}}`,
  'data near its limit': () =>
    `{"session_id":"a","category":"b","name":"c","timestamp":"2020-01-01T00:00:00Z","data":{"a":"${'x'.repeat(65_536 - 8)}"}}`,
  'data past its limit': () =>
    `{"session_id":"a","category":"b","name":"c","timestamp":"2020-01-01T00:00:00Z","data":{"a":"${'x'.repeat(65_536 - 7)}"}}`,
};

const isNdjson = (type: string): boolean => type.includes('ndjson');

/** What may stand between two lines. */
const LINE_ENDS = ['\n', '\n', '\n', '\r\n', '\n\n', '\n \t\r\n', '\n\uFEFF\n', '\n\u2028\n'];

/** Serializes a value for a content type: as JSON, or an array as one line per item for NDJSON, with blank lines. */
function serialize(value: unknown, type: string, lineEnds: readonly string[]): string {
  if (!isNdjson(type) || !Array.isArray(value)) return stringify(value);
  return value.map((item, index) => stringify(item) + (lineEnds[index % lineEnds.length] ?? '')).join('');
}

/** A body corrupted at the byte level. */
export const corrupt = (content: fc.Arbitrary<string | Buffer>): fc.Arbitrary<Buffer> =>
  fc
    .tuple(
      content.map((whole) => (typeof whole === 'string' ? Buffer.from(whole) : whole)),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.constantFrom(...ODD_BYTES),
      fc.constantFrom('insert', 'prepend', 'append', 'replace', 'cut'),
    )
    .map(([bytes, place, extra, how]) => {
      const at = how === 'prepend' ? 0 : how === 'append' ? bytes.length : Math.floor(place * bytes.length);
      if (how === 'cut') return bytes.subarray(0, at);
      const rest = bytes.subarray(how === 'replace' ? at + extra.length : at);
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(extra), rest]);
    });

/** Bodies for an operation: those that the document allows, and variations of them. */
export function bodyFor(schemas: Record<string, Schema>): fc.Arbitrary<Body | undefined> {
  const documented = Object.entries(schemas).map(([type, schema]) => {
    const text = fc.oneof(
      { arbitrary: valid(schema), weight: 4 },
      { arbitrary: nearlyValid(schema), weight: 5 },
      peculiarJson,
    );
    const lineEnds = fc.array(fc.constantFrom(...LINE_ENDS), { minLength: 1, maxLength: 4 });
    const written = fc.tuple(text, lineEnds).map(([value, ends]) => serialize(value, type, ends));
    return fc
      .oneof({ arbitrary: written.map((each) => Buffer.from(each)), weight: 8 }, corrupt(written))
      .map((bytes): Body => ({ type, bytes }));
  });
  const other = fc.record({
    type: fc.constantFrom(...CONTENT_TYPES),
    bytes: fc.oneof(
      peculiarJson.map((value) => Buffer.from(stringify(value))),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    ),
  });
  const oversized = fc
    .tuple(
      fc.constantFrom(...Object.keys(OVERSIZED_BODIES)),
      fc.constantFrom('application/json', 'application/x-ndjson'),
    )
    .map(([name, type]) => ({ type, bytes: Buffer.from(OVERSIZED_BODIES[name]?.() ?? '') }));
  if (documented.length === 0) return fc.oneof({ arbitrary: fc.constant(undefined), weight: 9 }, other);
  return fc.oneof(
    { arbitrary: withEncoding(fc.oneof(...documented)), weight: 200 },
    { arbitrary: withOtherType(fc.oneof(...documented)), weight: 12 },
    { arbitrary: other, weight: 12 },
    { arbitrary: fc.constant(undefined), weight: 2 },
    { arbitrary: withEncoding(oversized), weight: 1 },
  );
}

const withOtherType = (body: fc.Arbitrary<Body>): fc.Arbitrary<Body> =>
  fc.tuple(body, fc.constantFrom(...CONTENT_TYPES)).map(([{ bytes }, type]) => ({ bytes, type }));

const withEncoding = (body: fc.Arbitrary<Body>): fc.Arbitrary<Body> =>
  fc.tuple(body, encoding).map(([each, encode]) => ({ ...each, encoded: encode?.(each.bytes) }));
