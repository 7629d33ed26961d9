import { BinaryReader } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { corrupt } from '../bodies.js';
import type { Schema } from '../document.js';
import { peculiarText } from '../texts.js';
import type { DialectFuzzer, DialectRequest } from './dialect-fuzzer.js';
import { jsonRequests } from './json-requests.js';
import { marker } from './markers.js';
import { exportRequest, type LogRecord } from './opentelemetry-protobuf.js';

const PROTOBUF_TYPE = 'application/x-protobuf';

const TEXT: Schema = { type: 'string' };

const VALUE: Schema = {
  type: 'object',
  properties: {
    stringValue: TEXT,
    intValue: { enum: ['1', 7, '9223372036854775807', '1e3', ''] },
    doubleValue: { enum: [1.5, 'NaN', '-Infinity', null] },
    boolValue: { type: 'boolean' },
    bytesValue: { enum: ['AP8=', '%', ''] },
    arrayValue: { type: 'object', properties: { values: { type: 'array', items: {} } } },
  },
};

const ITEM: Schema = {
  type: 'object',
  properties: {
    eventName: TEXT,
    timeUnixNano: { enum: ['1767225600000000000', 1767225600000, '0', '-1', 'x', ''] },
    observedTimeUnixNano: { enum: ['1767225600000000001', null] },
    severityNumber: { enum: [9, 'SEVERITY_NUMBER_INFO', -1] },
    traceId: { enum: ['5b8efff798038103d269b633813fc60c', '', 'zz'] },
    attributes: {
      type: 'array',
      items: {
        type: 'object',
        properties: { key: { enum: ['session.id', 'event.name', 'a'] }, value: VALUE },
      },
    },
    body: VALUE,
  },
  required: ['eventName'],
};

const good = (uid: string): LogRecord => ({
  eventName: 'com.example.neighbour',
  timeUnixNano: '1767225600000000000',
  attributes: [
    ['session.id', 'session'],
    // Without an id of its own, its id would depend on the rest of the request.
    ['log.record.uid', uid],
  ],
});

const toJson = ({ attributes, ...record }: LogRecord): object => ({
  ...record,
  attributes: attributes.map(([key, stringValue]) => ({ key, value: { stringValue } })),
});

const json = jsonRequests({
  types: ['application/json'],
  item: ITEM,
  neighbour: (text) => toJson(good(text)),
  envelope: (logRecords) => ({ resourceLogs: [{ scopeLogs: [{ scope: { name: 'fuzz' }, logRecords }] }] }),
  oddEnvelopes: [
    (logRecords) => ({ resourceLogs: [{ scopeLogs: logRecords }] }),
    (logRecords) => ({ resourceLogs: logRecords }),
    (logRecords) => ({ resourceLogs: [{ resource: logRecords, scopeLogs: [{ logRecords }] }] }),
    (logRecords) => logRecords,
  ],
});

const record: fc.Arbitrary<LogRecord> = fc.record({
  eventName: peculiarText,
  timeUnixNano: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String),
  attributes: fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom('session.id', 'event.name', 'log.record.uid'), peculiarText),
      peculiarText,
    ),
    { maxLength: 4 },
  ),
});

const protobufRequest = (
  bytes: Buffer,
  neighbours: readonly string[] = [],
  isValid = false,
): DialectRequest => ({
  query: [],
  headers: [],
  body: { type: PROTOBUF_TYPE, bytes },
  neighbours,
  isValid,
});

const protobuf = fc.oneof(
  {
    arbitrary: fc
      .array(
        fc.oneof(
          marker.map((text) => ({ value: good(text), marker: text })),
          record.map((value) => ({ value, marker: undefined })),
        ),
        { maxLength: 6 },
      )
      .map((all) =>
        protobufRequest(
          exportRequest(all.map(({ value }) => value)),
          all.flatMap((each) => each.marker ?? []),
          true,
        ),
      ),
    weight: 3,
  },
  corrupt(fc.array(record, { minLength: 1, maxLength: 3 }).map(exportRequest)).map((bytes) =>
    protobufRequest(bytes),
  ),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => protobufRequest(Buffer.from(bytes))),
);

/** A google.rpc.Status: fields 1, a code, and 2, a message. */
function isProtobufStatus(bytes: Buffer): boolean {
  const reader = new BinaryReader(bytes);
  const [code] = reader.tag();
  reader.int32();
  const [message] = reader.tag();
  reader.string();
  return code === 1 && message === 2 && reader.pos === reader.len;
}

export const OPENTELEMETRY: DialectFuzzer = {
  name: 'opentelemetry',
  requestFor: () => fc.oneof({ arbitrary: json, weight: 2 }, protobuf),
  isError: ({ headers, body }) => {
    const type = headers.get('content-type');
    if (type === PROTOBUF_TYPE) return isProtobufStatus(body);
    if (type !== 'application/json; charset=utf-8') return false;
    const error = JSON.parse(body.toString('utf8')) as { code?: unknown; message?: unknown };
    return typeof error.code === 'number' && typeof error.message === 'string';
  },
};
