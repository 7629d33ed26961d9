import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import type { Filter, Property, Scalar } from '../../src/platform/filters/filter.js';
import { filterSql, SqlParameters } from '../../src/platform/filters/filter-sql.js';
import { PropertiesRepository } from '../../src/properties/properties.repository.js';
import { EventQuestions } from '../../src/questions/event-questions.js';
import { toJsonPath } from '../../src/properties/json-path.js';
import { valueTypeOf } from '../../src/properties/value-type.js';
import { CopyRepository } from '../../src/replication/copy.repository.js';
import { withTypedForms } from '../../src/replication/typed-form.js';
import { PropertyValuesRepository } from '../../src/statistics/top/property-values.repository.js';
import { timestampAt } from '../../src/platform/time/timestamp.js';
import { type FilteredEvent, matches, valueOf } from '../../testing/filter-oracle.js';
import { OwnClickHouse } from '../support/servers.js';

/** Keys that meet each other often, and those that are hard to quote, to escape or to distinguish. */
const KEYS = [
  'a',
  'b',
  'c',
  'a.b',
  'a b',
  '',
  '%2E',
  'a%2Eb',
  '`',
  "'",
  '"',
  '\\',
  '👁',
  'É',
  'null',
  '0',
  'a[]',
  ':',
  '$ -_',
  'data',
  '\n',
  '{p0:String}',
];
const TEXTS = [
  '',
  'x',
  'X',
  'xy',
  '42',
  '1e2',
  'true',
  'null',
  '2021-01-01',
  '2021-01-01 00:00:00',
  '2021-01-01T00:00:00Z',
  '👁',
  'é',
  'e\u0301',
  '\uffff',
  '%',
  '_',
  "'",
  '\\',
  '\\N',
  '"',
  '\t',
  '\n',
  '\u0001',
  '[1]',
  '{"a":1}',
  '12345678901234567890',
  'a,"12345678901234567890", b',
];
const NUMBERS = [
  0,
  1,
  -1,
  42,
  0.1,
  0.30000000000000004,
  1.5,
  100,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
  12345678901234567168,
  1e20,
  1e21,
  -1e21,
  1e300,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  2.2250738585072014e-308,
  1.2345678901234568e29,
];

const key = fc.constantFrom(...KEYS);
const text = fc
  .oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', maxLength: 3 }))
  .map((found) => found.replaceAll('\0', '').toWellFormed());
const number = fc
  .oneof(fc.constantFrom(...NUMBERS), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map((found) => found || 0);
const scalar: fc.Arbitrary<Scalar> = fc.oneof(text, number, fc.boolean(), fc.constant(null));

const { payload } = fc.letrec<{ value: unknown; payload: Record<string, unknown> }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { arbitrary: scalar, weight: 4 },
    tie('payload'),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
  payload: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));

const path = fc.array(key, { minLength: 1, maxLength: 3 });
const property: fc.Arbitrary<Property> = fc.oneof(
  { weight: 6, arbitrary: path.map((keys): Property => ({ kind: 'data', path: keys })) },
  fc
    .constantFrom('category', 'name', 'session_id', 'application')
    .map((field): Property => ({ kind: 'field', field })),
);

const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: 'small' },
    fc.record({
      kind: fc.constant('in'),
      property,
      values: fc.array(scalar, { minLength: 1, maxLength: 4 }),
    }),
    fc.record({ kind: fc.constantFrom('contains', 'begins'), property, text }),
    fc.record({ kind: fc.constant('exists'), property }),
    fc.record({ kind: fc.constantFrom('gt', 'gte', 'lt', 'lte'), property, bound: fc.oneof(text, number) }),
    fc.record({ kind: fc.constant('not'), filter: tie('filter') }),
    fc.record({ kind: fc.constantFrom('all', 'any'), filters: fc.array(tie('filter'), { maxLength: 3 }) }),
  ),
}));

const event = fc.record({ application: text, category: text, name: text, session_id: text, data: payload });

/** Paths and values of the events, so that filters meet them. */
function conditionsOn(events: readonly FilteredEvent[]): fc.Arbitrary<Filter> {
  const found: { path: string[]; value: unknown }[] = [];
  const visit = (value: unknown, keys: string[]): void => {
    if (keys.length > 0) found.push({ path: keys, value });
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [inner, member] of Object.entries(value)) visit(member, [...keys, inner]);
  };
  for (const { data } of events) visit(data, []);
  if (found.length === 0) return filter;
  return fc.constantFrom(...found).chain(({ path: keys, value }) => {
    const own: Property = { kind: 'data', path: keys };
    const conditions: Filter[] = [{ kind: 'exists', property: own }];
    if (typeof value !== 'object' || value === null)
      conditions.push({ kind: 'in', property: own, values: [value as Scalar] });
    if (typeof value === 'string' || typeof value === 'number')
      for (const kind of ['gt', 'gte', 'lt', 'lte'] as const)
        conditions.push({ kind, property: own, bound: value });
    if (typeof value === 'string')
      for (const kind of ['contains', 'begins'] as const)
        conditions.push({ kind, property: own, text: value.slice(0, 2).toWellFormed() });
    return fc.constantFrom(...conditions);
  });
}

/** JSON as PostgreSQL gives it out: blanks after commas and colons, and numbers without an exponent. */
function asJsonb(value: unknown): string {
  if (typeof value === 'number') return plainNumber(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(asJsonb).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}: ${asJsonb(member)}`)
    .join(', ')}}`;
}

function plainNumber(value: number): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`;
  if (point >= digits.length) return `${sign}${digits.padEnd(point, '0')}`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Events whose paths can all be columns of a statement. */
const plainEvent = event.map((one) => ({ ...one, data: withPlainKeys(one.data) as Record<string, unknown> }));

describe('A filter in ClickHouse', () => {
  let server: OwnClickHouse;
  let client: ClickHouse;
  let copy: CopyRepository;

  beforeAll(async () => {
    server = await OwnClickHouse.start();
    client = new ClickHouse(server.url);
    copy = new CopyRepository(client);
  });
  afterAll(async () => {
    await client.onApplicationShutdown();
    await server.close();
  });

  async function insert(table: string, events: readonly FilteredEvent[]): Promise<void> {
    const lines = events.map(({ data, ...fields }, index) => {
      const line = { id: randomUUID(), timestamp: index, ...fields, data_text: asJsonb(data), batch: 1 };
      return `${JSON.stringify(line)}\n`;
    });
    await copy.insert(table, 'test', '1', withTypedForms(lines.join('')), false);
  }

  it('matches the events that it matches by its definition', async () => {
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(event, { minLength: 1, maxLength: 60 })
          .chain((events) =>
            fc.tuple(
              fc.constant(events),
              fc.array(fc.oneof(filter, conditionsOn(events)), { minLength: 1, maxLength: 40 }),
            ),
          ),
        async ([events, filters]) => {
          const table = `events_${(round++).toString(16).padStart(8, '0')}`;
          await copy.create(table, { source: 'test' });
          await insert(table, events);
          for (const one of filters) {
            const parameters = new SqlParameters();
            const condition = filterSql(one, parameters);
            const rows = await client.query<{ i: string }>(
              `SELECT timestamp AS i FROM ${table} WHERE ${condition} ORDER BY timestamp`,
              parameters.values,
            );
            const expected = events.flatMap((candidate, index) => (matches(one, candidate) ? [index] : []));
            expect({ one, found: rows.map(({ i }) => Number(i)) }).toEqual({ one, found: expected });
          }
          await copy.drop(table);
        },
      ),
      { numRuns: Number(process.env['FILTER_RUNS'] ?? 10), interruptAfterTimeLimit: 100_000 },
    );
  });

  it.each([
    ['any keys', event.filter(({ data }) => !/%2E/.test(JSON.stringify(data)))],
    ['plain keys', plainEvent],
  ])('is met by events whose properties and values are counted exactly: %s', async (_, events) => {
    // What a caller may see, and as of when, is the business of other specs.
    const questions = new EventQuestions(client, undefined as never);
    const properties = new PropertiesRepository(questions);
    const ranking = new PropertyValuesRepository(questions);
    await fc.assert(
      fc.asyncProperty(
        fc.array(events, { minLength: 1, maxLength: 60 }),
        filter,
        fc.array(property, { minLength: 5, maxLength: 5 }),
        async (stored, condition, ranked) => {
          await copy.drop('events');
          await copy.create('events', { source: 'test' });
          await insert('events', stored);
          const matching = stored.filter((one) => matches(condition, one));
          const scope = { from: timestampAt(0), to: timestampAt(1000), filter: condition };
          expect(await properties.count(scope)).toBe(matching.length);
          const listed = await properties.paths(scope, '', 10_000);
          const found = listed.flatMap(({ path: name, types }) =>
            types.map(([type, events_]) => [`${name} ${valueTypeOf(type)}`, Number(events_)] as const),
          );
          expect(totals(found)).toEqual(totals(matching.flatMap(({ data }) => typedPaths(data, []))));
          for (const one of ranked) {
            const values = matching.map((each) => valueOf(one, each));
            const counted = values.filter((value) => ['string', 'number', 'boolean'].includes(typeof value));
            const largest = await ranking.largest(scope, one, 100);
            const rows = largest.values.map((row) => [JSON.stringify(row.value), row.events] as const);
            expect({ one, values: totals(rows) }).toEqual({
              one,
              values: totals(counted.map((value) => [JSON.stringify(value), 1])),
            });
            expect([largest.total, largest.groups]).toEqual([counted.length, new Set(counted).size]);
          }
        },
      ),
      { numRuns: Number(process.env['FILTER_RUNS'] ?? 10), interruptAfterTimeLimit: 60_000 },
    );
  });
});

function withPlainKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withPlainKeys);
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name.replace(/[^A-Za-z0-9_$ -]/g, '') || 'k',
      withPlainKeys(member),
    ]),
  );
}

/** The paths of a JSON column with the types of their values. */
function typedPaths(value: unknown, keys: readonly string[]): (readonly [string, number])[] {
  if (value === null) return [];
  if (typeof value === 'object' && !Array.isArray(value))
    return Object.entries(value).flatMap(([name, member]) => typedPaths(member, [...keys, name]));
  const type = Array.isArray(value) ? 'list' : typeof value === 'string' ? 'text' : typeof value;
  return [[`${toJsonPath(keys)} ${type}`, 1]];
}

function totals(counts: readonly (readonly [string, number])[]): Record<string, number> {
  const sums = new Map<string, number>();
  for (const [name, count] of counts) sums.set(name, (sums.get(name) ?? 0) + count);
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
