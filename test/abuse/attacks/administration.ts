import { bearer } from '../../../testing/keys.js';
import type { Attack, Stage } from '../attack.js';

const path = (name: string): string => `/event-types/attack/${name}/`;

/** Registers a schema with the attacker's key; one that The Eye refuses needs no attack. */
async function register({ eye, keys }: Stage, name: string, schema: unknown): Promise<void> {
  await eye.request('PUT', path(name), {
    body: JSON.stringify({ mode: 'enforce', schema }),
    headers: { 'content-type': 'application/json', ...bearer(keys.admin) },
  });
}

/** An attack by events of 64 KB that are checked against a schema of the attacker. */
function matched(name: string, schema: unknown, data: () => string, rest: Partial<Attack> = {}): Attack {
  const type = name.replaceAll(/\W+/g, '-');
  let body: Buffer | undefined;
  const event = (): string =>
    `{"session_id":"a","category":"attack","name":"${type}","timestamp":"2024-01-01T00:00:00Z","data":${data()}}`;
  return {
    name,
    scope: 'ingest',
    senders: 4,
    prepare: (stage) => register(stage, type, schema),
    request: (client) =>
      client.json('POST', '/events/', (body ??= Buffer.from(`[${Array(70).fill(event()).join(',')}]`))),
    ...rest,
  };
}

const items = (length: number, item: string): string => `{"a":[${Array(length).fill(item).join(',')}]}`;
const text = (unit: string): string => `{"a":"${unit.repeat(Math.floor(65_000 / unit.length))}"}`;
const branches = (length: number, branch: (index: number) => unknown): unknown[] =>
  Array.from({ length }, (_, index) => branch(index));

/** A schema that takes as long to compile as one may. */
const large = (): object => ({
  properties: { a: { anyOf: branches(900, (index) => ({ const: `${index} ${Math.random()}` })) } },
});

/** Types whose schemas do not fit into the memory of an application together. */
const MANY_TYPES = 24;

export const ADMINISTRATION: readonly Attack[] = [
  matched(
    'a pattern that backtracks, on 64 kB',
    { properties: { a: { pattern: '^(([a-z])+.)+[A-Z]([a-z])+$' } } },
    () => text('a'),
    {},
  ),
  matched('a pattern of 400 instructions, on 64 kB', { properties: { a: { pattern: '(x?){150}y' } } }, () =>
    text('x'),
  ),
  matched(
    '600 alternatives for each of 30,000 items',
    { properties: { a: { items: { anyOf: branches(600, (index) => ({ const: index + 10 })) } } } },
    () => items(30_000, '0'),
    {},
  ),
  matched(
    '1,500 values of an enum for each of 30,000 items',
    { properties: { a: { items: { enum: branches(1500, (index) => `x${index}`) } } } },
    () => items(30_000, '0'),
  ),
  matched(
    '30,000 items that are not what they should be',
    { properties: { a: { items: { type: 'string' } } } },
    () => items(30_000, '0'),
  ),
  matched(
    'unique items among 1,000 objects',
    { properties: { a: { uniqueItems: true, maxItems: 1000 } } },
    () => items(1000, '{"x":[{"y":[1,2,3,4,5,6,7,8,9]}]}').replaceAll('9]', () => `${Math.random()}]`),
  ),
  matched(
    'the formats of texts of 64 kB',
    {
      properties: {
        a: {
          anyOf: [
            'email',
            'hostname',
            'uri',
            'uri-reference',
            'ipv6',
            'duration',
            'date-time',
            'json-pointer',
          ].map((format) => ({ format, minLength: 100_000 })),
        },
      },
    },
    () => text('a.'),
  ),
  matched(
    'a pattern for each of 10,000 names',
    { propertyNames: { pattern: '^[a-z]{1,60}$' } },
    () => `{${Array.from({ length: 7000 }, (_, index) => `"${index}":0`).join(',')}}`,
  ),
  {
    name: 'schemas of 900 alternatives, each different',
    scope: 'admin',
    senders: 4,
    request: (client) =>
      client.json('PUT', path('compiled'), JSON.stringify({ mode: 'observe', schema: large() })),
  },
  {
    name: 'events of 24 types, each with 900 alternatives',
    scope: 'ingest',
    senders: 4,
    prepare: async (stage) => {
      for (let index = 0; index < MANY_TYPES; index++) await register(stage, `many-${index}`, large());
    },
    request: (client) =>
      client.json(
        'POST',
        '/events/',
        JSON.stringify(
          branches(1000, (index) => ({
            session_id: 'a',
            category: 'attack',
            name: `many-${index % MANY_TYPES}`,
            data: { a: 0 },
          })),
        ),
      ),
  },
  {
    name: 'checks of a schema against 1,000 events of 62 kB',
    scope: 'admin',
    senders: 4,
    prepare: async ({ eye, keys }) => {
      for (let index = 0; index < 20; index++)
        await eye.post(
          '/events/',
          `[${Array.from({ length: 50 }, (_, each) => `{"session_id":"${index}-${each}","category":"attack","name":"checked","data":${items(30_000, '0')}}`).join(',')}]`,
          bearer(keys.ingest),
        );
      await eye.drained();
    },
    request: (client) =>
      client.json(
        'POST',
        `${path('checked')}check/`,
        JSON.stringify({
          schema: {
            properties: { a: { items: { anyOf: branches(600, (index) => ({ const: index + 10 })) } } },
          },
        }),
      ),
  },
  {
    name: 'suggestions from 1,000 events of 62 kB',
    scope: 'admin',
    senders: 4,
    prepare: async ({ eye, keys }) => {
      for (let index = 0; index < 20; index++) {
        const data = (each: number): string =>
          `{${Array.from({ length: 3000 }, (_, key) => `"k${index}-${each}-${key}":0`).join(',')}}`;
        await eye.post(
          '/events/',
          `[${Array.from({ length: 50 }, (_, each) => `{"session_id":"a","category":"attack","name":"suggested","data":${data(each)}}`).join(',')}]`,
          bearer(keys.ingest),
        );
      }
      await eye.drained();
    },
    request: (client) => client.send('GET', `${path('suggested')}suggestion/`),
  },
  {
    name: 'new applications and keys',
    scope: 'admin',
    senders: 8,
    request: async (client) => {
      const name = crypto.randomUUID();
      await client.json('POST', '/applications/', JSON.stringify({ name }));
      await client.json('POST', `/applications/${name}/keys/`, JSON.stringify({ scope: 'ingest' }));
    },
  },
  {
    name: 'retries of all refused events',
    scope: 'admin',
    senders: 4,
    prepare: async ({ eye, keys }) => {
      const refused = `[${Array(5000).fill('{"session_id":1,"category":"attack","name":"attack"}').join(',')}]`;
      for (let index = 0; index < 10; index++) await eye.post('/events/', refused, bearer(keys.ingest));
    },
    request: (client) => client.send('POST', '/rejections/retry/'),
  },
  {
    name: 'the queue board',
    scope: 'admin',
    senders: 16,
    request: (client) => client.send('GET', '/queues/api/queues'),
  },
  { name: 'the metrics', scope: 'admin', senders: 16, request: (client) => client.send('GET', '/metrics') },
];
