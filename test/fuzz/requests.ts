import fc from 'fast-check';
import { type Body, bodyFor } from './bodies.js';
import { dialectNameOf, fuzzerOf } from './dialects/index.js';
import type { DialectRequest } from './dialects/dialect-fuzzer.js';
import type { Operation } from './document.js';
import { headerText, peculiarText } from './texts.js';
import { parameterText } from './values.js';

export const KEYS = ['none', 'unknown', 'malformed', 'ingest', 'read', 'admin', 'known'] as const;
export const AUTH_METHODS = ['bearer', 'x-api-key', 'basic', 'query'] as const;
export const TARGETS = ['open', 'guarded'] as const;

/** The `Host` of a request: the own one, or one with the status that is right for it on The Eye without keys. */
export const HOSTS = {
  own: undefined,
  missing: 400,
  twice: 400,
  empty: 400,
  'attacker.example:8000': 421,
  'localhost.attacker.example': 421,
  '127.0.0.1.attacker.example': 421,
  'a@127.0.0.1': 400,
  '127.0.0.1/': 400,
  'a b': 400,
  localhost: undefined,
  'LOCALHOST.:1': undefined,
  '[::1]:8000': undefined,
} as const;
export type Host = keyof typeof HOSTS;

/** A request before values from earlier responses are filled in. */
export interface Draft {
  operation: Operation;
  /** The Eye to send to: the open one, or the one that requires keys. */
  eye: (typeof TARGETS)[number];
  /** `dialect` is a key of an application that nothing but dialects sends to. */
  key: (typeof KEYS)[number] | 'dialect';
  authMethod: (typeof AUTH_METHODS)[number];
  /** Overrides the operation's own method. */
  method: string | undefined;
  /** Path parameters. */
  path: Record<string, string>;
  /** Appended to the path. */
  suffix: string;
  query: [name: string, text: string][];
  /** Takes parameters from the nth known record if it has them. */
  known: { nth: number; own: boolean } | undefined;
  headers: [name: string, value: string][];
  host: Host;
  version: '1.0' | '1.1';
  body: Body | undefined;
  framing: Framing;
  /** Edits of the bytes of the head, which may make it invalid HTTP. */
  headEdits: Edit[];
  /** Of an operation of a dialect. */
  dialect?: DialectRequest;
}

/** How the request declares the length of its body. `short` and `long` declare a wrong length. */
export type Framing = { kind: 'length' | 'short' | 'long' } | { kind: 'chunked'; sizes: number[] };

export interface Edit {
  place: number;
  drop: number;
  insert: Uint8Array;
}

const METHODS = [
  'HEAD',
  'OPTIONS',
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'TRACE',
  'PURGE',
  'QUERY',
  'get',
  'X',
];

const PATH_SUFFIXES = [
  '//',
  '/.',
  '/..',
  '/../',
  '/./',
  '/%2e',
  '/../../events',
  '/%2e%2e',
  '%',
  '%2',
  '%zz',
  '%00',
  '%ff',
  '%c0%af',
  '%2F',
  '%20',
  ';a=1',
  '/x',
  '/__proto__',
  ':',
  '?',
  '??',
  '&a=1',
];

const HEADERS: [string, string][] = [
  ['accept', 'application/json; indent=4'],
  ['accept', 'application/json; indent=9'],
  ['accept', 'application/json; indent=99999999999'],
  ['accept', 'text/html'],
  ['accept', 'application/x-ndjson'],
  ['accept', 'text/csv'],
  ['accept', ''],
  ['accept-encoding', 'gzip, br'],
  ['access-control-request-method', 'POST'],
  ['connection', 'close'],
  ['connection', 'upgrade'],
  ['content-encoding', 'gzip'],
  ['content-encoding', 'identity'],
  ['content-encoding', 'zstd'],
  ['content-encoding', 'gzip, br'],
  ['cookie', 'a=b'],
  ['expect', '100-continue'],
  ['expect', 'the unexpected'],
  ['forwarded', 'for=evil;host=forged.example;proto=https'],
  ['if-modified-since', 'Thu, 01 Jan 1970 00:00:00 GMT'],
  ['if-none-match', '*'],
  ['last-event-id', '0176bd3b-005b-8e87-b810-d98f192d5f04'],
  ['last-event-id', 'x'],
  ['origin', 'https://evil.example'],
  ['origin', 'null'],
  ['origin', 'ftp://a.b'],
  ['origin', 'http://127.0.0.1:1'],
  ['origin', 'http://LOCALHOST'],
  ['origin', 'https://a.example/path'],
  ['origin', 'https://*.example'],
  ['origin', `https://${'a'.repeat(5000)}.example`],
  ['origin', ''],
  ['range', 'bytes=0-0'],
  ['upgrade', 'websocket'],
  ['x-forwarded-host', 'forged.example'],
  ['x-forwarded-host', 'forged.example, 127.0.0.1'],
  ['x-forwarded-proto', 'https'],
  ['x-forwarded-proto', 'javascript'],
  ['x-forwarded-for', '127.0.0.1'],
  ['x-forwarded-for', `${'1.1.1.1, '.repeat(500)}x`],
  ['x-forwarded-port', '443'],
  ['x-forwarded-prefix', '/forged.example'],
  ['x-real-ip', '::1'],
  ['x-original-url', '/applications/'],
  ['via', '1.0 forged.example'],
  ['content-type', 'application/json'],
  ['content-length', '0'],
  ['transfer-encoding', 'identity'],
  ['authorization', 'Bearer eye_admin_'],
  ['x-api-key', 'eye_admin_'],
  ['x-http-method-override', 'DELETE'],
  ['x-long', 'x'.repeat(8000)],
  ['x-long', 'x'.repeat(15_000)],
  ['x-long', 'x'.repeat(17_000)],
  ['__proto__', 'polluted'],
  ['constructor', 'polluted'],
  ['accept-version', '1.0.0'],
];

const PREFER_VALUES = [
  'wait=0',
  'wait=1',
  'wait=2, respond-async',
  'wait="1"',
  'WAIT = 1',
  'wait=-1',
  'wait=1e9',
  'wait=1.5',
  'wait=99999999999999999999',
  'wait',
  'wait=1, wait=2',
  'respond-async;wait=1',
  ',,,',
];

const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>): fc.WeightedArbitrary<T> => ({
  weight,
  arbitrary,
});

function headersFor({ parameters }: Operation): fc.Arbitrary<[string, string][]> {
  const own = parameters
    .filter((parameter) => parameter.in === 'header')
    .map(({ name }) =>
      fc
        .oneof(weighted(3, fc.constantFrom(...PREFER_VALUES)), headerText)
        .map((value): [string, string] => [name.toLowerCase(), value]),
    );
  const any = fc.constantFrom(...HEADERS);
  const odd = fc.tuple(
    fc.constantFrom('x-odd', 'authorization', 'accept', 'cookie', 'content-language'),
    headerText,
  );
  const some = fc.array(fc.oneof(any, odd), { minLength: 1, maxLength: 3 });
  const many = fc.constant(Array.from({ length: 150 }, (_, index): [string, string] => [`x-${index}`, '']));
  return fc.oneof(
    weighted(30, fc.constant<[string, string][]>([])),
    ...own.map((each) =>
      weighted(
        15,
        each.map((one) => [one]),
      ),
    ),
    weighted(6, some),
    weighted(1, many),
  );
}

const OPERATORS = [
  'eq',
  'not',
  'in',
  'not_in',
  'contains',
  'begins',
  'exists',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'x',
];
const PATHS = [
  'data',
  'data.',
  'data.path',
  'data.a\\.b',
  'data.a\\',
  'data.a:b',
  'category',
  'session_id',
  'data.`',
  "data.'",
  'data.%2E',
];
const OPERANDS = [
  '',
  '1',
  '-0',
  '1e300',
  '1e400',
  'true',
  'null',
  '"1"',
  '"',
  '1,2',
  'a,"b,c"',
  'a,,b',
  '2021-01-01',
  "' OR 1=1 --",
  '{p0:String}',
  '\\N',
];

/** A condition of a filter, which may be wrong. */
const condition: fc.Arbitrary<[string, string]> = fc.tuple(
  fc
    .tuple(
      fc.oneof(
        fc.constantFrom(...PATHS),
        peculiarText.map((key) => `data.${key}`),
      ),
      fc.option(fc.constantFrom(...OPERATORS)),
    )
    .map(([path, operator]) => (operator === null ? path : `${path}:${operator}`)),
  fc.oneof(fc.constantFrom(...OPERANDS), peculiarText),
);

function queryFor({ parameters }: Operation): fc.Arbitrary<[string, string][]> {
  const inQuery = parameters.filter((parameter) => parameter.in === 'query');
  const named = inQuery.map(({ name, schema }) =>
    // A parameter of type object stands for parameters without fixed names: the conditions of a filter.
    schema.type === 'object' ? condition : fc.tuple(fc.constant(name), parameterText(schema)),
  );
  const unknown = fc.tuple(
    fc.oneof(peculiarText, fc.constantFrom(...inQuery.map(({ name }) => `${name}[]`), 'x')),
    peculiarText,
  );
  const few: fc.Arbitrary<[string, string][]> =
    named.length > 0 ? fc.array(fc.oneof(...named), { maxLength: 3 }) : fc.constant([]);
  const share = Math.min(named.length, 4);
  return fc.oneof(
    weighted(5, fc.constant<[string, string][]>([])),
    weighted(
      1,
      fc.tuple(few, unknown).map(([pairs, one]) => [...pairs, one]),
    ),
    ...(share > 0
      ? [
          weighted(
            3 * share,
            few.map((pairs) => [...new Map(pairs)]),
          ),
          weighted(share, few),
        ]
      : []),
  );
}

const pathFor = ({ parameters }: Operation): fc.Arbitrary<Record<string, string>> =>
  fc.record(
    Object.fromEntries(
      parameters
        .filter((each) => each.in === 'path')
        .map(({ name, schema }) => [name, parameterText(schema)]),
    ),
  );

const edit: fc.Arbitrary<Edit> = fc.record({
  place: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.nat({ max: 8 }),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    fc
      .constantFrom(
        '\r\n',
        '\n',
        '\0',
        ' ',
        'HTTP/9.9',
        '\r\nContent-Length: 5',
        '\r\nTransfer-Encoding: chunked',
        '\r\nHost: b',
        ':',
        '\r\n\r\n',
      )
      .map((text) => Buffer.from(text)),
  ),
});

/** Generates requests to an operation of The Eye's own API or of a dialect. */
function draftFor(operation: Operation): fc.Arbitrary<Draft> {
  const fuzzer = fuzzerOf(operation);
  const draft = ownDraftFor(operation);
  if (!fuzzer) return draft;
  const stranger = fc.oneof(
    weighted(9, fc.constant(undefined)),
    fc.constantFrom('none' as const, 'unknown' as const, 'malformed' as const),
  );
  return fc.tuple(draft, fuzzer.requestFor(operation), stranger).map(([own, dialect, key]): Draft => ({
    ...own,
    // Where no key is needed, events without one would go to an application whose events are all known one by one.
    eye: key === undefined && hasPlainKey(own) ? own.eye : 'guarded',
    key: key ?? 'dialect',
    query: dialect.query,
    known: undefined,
    headers: [...dialect.headers, ...own.headers],
    body: dialect.body,
    // The key might get lost.
    headEdits: [],
    dialect,
  }));
}

/** Whether nothing in a request can hide its key. */
const hasPlainKey = ({ authMethod, headers }: Draft): boolean =>
  authMethod === 'bearer' && headers.length === 0;

function ownDraftFor(operation: Operation): fc.Arbitrary<Draft> {
  const scope = KEYS.find((key) => key === operation.access) ?? 'none';
  return fc.record({
    operation: fc.constant(operation),
    eye: fc.constantFrom(...TARGETS),
    key: fc.oneof(weighted(8, fc.constantFrom(scope, 'admin')), fc.constantFrom(...KEYS)),
    authMethod: fc.oneof(weighted(8, fc.constant('bearer' as const)), fc.constantFrom(...AUTH_METHODS)),
    method: fc.oneof(weighted(19, fc.constant(undefined)), fc.constantFrom(...METHODS)),
    path: pathFor(operation),
    suffix: fc.oneof(weighted(19, fc.constantFrom('', '/')), fc.constantFrom(...PATH_SUFFIXES)),
    query: queryFor(operation),
    known: fc.option(fc.record({ nth: fc.nat({ max: 1_000_000 }), own: fc.boolean() }), {
      nil: undefined,
      freq: 2,
    }),
    headers: headersFor(operation),
    host: fc.oneof(
      weighted(60, fc.constant<Host>('own')),
      fc.constantFrom(...(Object.keys(HOSTS) as Host[])),
    ),
    version: fc.oneof(weighted(40, fc.constant('1.1' as const)), fc.constant('1.0' as const)),
    body: bodyFor(operation.bodies),
    framing: fc.oneof(
      weighted(40, fc.constant<Framing>({ kind: 'length' })),
      weighted(
        8,
        fc
          .array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })
          .map((sizes): Framing => ({ kind: 'chunked', sizes })),
      ),
      weighted(1, fc.constantFrom<Framing>({ kind: 'short' }, { kind: 'long' })),
    ),
    headEdits: fc.oneof(
      weighted(30, fc.constant<Edit[]>([])),
      fc.array(edit, { minLength: 1, maxLength: 3 }),
    ),
  });
}

/** Generates one request, or a few that are pipelined on one connection. */
export function pipelineFor(all: Operation[]): fc.Arbitrary<Draft[]> {
  // The body of a dialect cannot be generated from the document alone.
  const operations = all.filter((each) => dialectNameOf(each) === undefined || fuzzerOf(each));
  // Sending events is the main purpose of The Eye, and gives the other routes data to return.
  const draft = fc.oneof(
    ...operations.map((operation) => weighted(operation.access === 'ingest' ? 4 : 1, draftFor(operation))),
  );
  return fc.oneof(
    weighted(
      20,
      draft.map((one) => [one]),
    ),
    fc.array(draft, { minLength: 2, maxLength: 4 }),
  );
}
