import type { Schema } from '../document.js';
import type { DialectFuzzer } from './dialect-fuzzer.js';
import { jsonRequests } from './json-requests.js';

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

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });

const requests = jsonRequests({
  types: ['application/json'],
  item: ITEM,
  neighbour: (marker) => ({
    eventName: 'com.example.neighbour',
    timeUnixNano: '1767225600000000000',
    attributes: [attribute('session.id', 'session'), attribute('log.record.uid', marker)],
  }),
  envelope: (logRecords) => ({ resourceLogs: [{ scopeLogs: [{ scope: { name: 'fuzz' }, logRecords }] }] }),
  oddEnvelopes: [
    (logRecords) => ({ resourceLogs: [{ scopeLogs: logRecords }] }),
    (logRecords) => ({ resourceLogs: logRecords }),
    (logRecords) => ({ resourceLogs: [{ resource: logRecords, scopeLogs: [{ logRecords }] }] }),
    (logRecords) => logRecords,
  ],
});

export const OPENTELEMETRY: DialectFuzzer = {
  name: 'opentelemetry',
  // A record that is none may make the whole request invalid.
  requestFor: () => requests.map((each) => ({ ...each, isValid: false })),
  isError: ({ headers, body }) => {
    if (headers.get('content-type') !== 'application/json; charset=utf-8') return false;
    const error = JSON.parse(body.toString('utf8')) as { code?: unknown; message?: unknown };
    return typeof error.code === 'number' && typeof error.message === 'string';
  },
};
