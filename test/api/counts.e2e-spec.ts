import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import { EVERYTHING, type Filter, type Property } from '../../src/platform/filters/filter.js';
import { SqlParameters } from '../../src/platform/filters/filter-sql.js';
import { timestampAtMicroseconds } from '../../src/platform/time/timestamp.js';
import { type CountedField, countEvents, countsSql } from '../../src/questions/event-counts.js';
import { EventQuestions } from '../../src/questions/event-questions.js';
import { CopyRepository } from '../../src/replication/copy.repository.js';
import { withTypedForms } from '../../src/replication/typed-form.js';
import { DAY, QUARTER } from '../../src/replication/copy-table.js';
import { EventCountsRepository } from '../../src/statistics/measures/event-counts.repository.js';
import { TopRepository } from '../../src/statistics/top/top.repository.js';
import { matches } from '../../testing/filter-oracle.js';
import {
  type ClickHouseDatabase,
  MAKING_EVENTS,
  newClickHouseDatabase,
} from '../support/worker-clickhouse.js';

const QUARTER_US = 900_000_000n;

interface Stored {
  readonly id: string;
  readonly timestamp: bigint;
  readonly application: string;
  readonly category: string;
  readonly name: string;
  readonly session_id: string;
  readonly data: Record<string, unknown>;
}

/** Quarters of an hour around 1970, after the first valid timestamp, and today; and the ends of each. */
const timestamp = fc
  .tuple(fc.constantFrom(-3n, -1n, 0n, 1n, 1_960_000n, -69_039_551n), fc.integer({ min: -2, max: 2 }))
  .chain(([quarter, offset]) =>
    fc
      .constantFrom(0n, 1n, -1n, 450_000_000n)
      .map((rest) => (quarter + BigInt(offset) + 1n) * QUARTER_US + rest)
      .filter((time) => time >= -62_135_596_800_000_000n),
  );

const word = fc.constantFrom('a', 'b', 'c', '');
const event = fc
  .record({ timestamp, application: word, category: word, name: word, session_id: word })
  .map((fields): Stored => ({ ...fields, id: randomUUID(), data: {} }));

const field = fc
  .constantFrom('application' as const, 'category' as const, 'name' as const)
  .map((name): Property => ({ kind: 'field', field: name }));
const filter: fc.Arbitrary<Filter> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(EVERYTHING) },
  fc.record({ kind: fc.constant('in'), property: field, values: fc.array(word, { minLength: 1 }) }),
  fc
    .record({ kind: fc.constant('in'), property: field, values: fc.array(word, { minLength: 1 }) })
    .map((one): Filter => ({ kind: 'not', filter: one })),
  fc.constant<Filter>({ kind: 'in', property: { kind: 'field', field: 'session_id' }, values: ['a'] }),
);

const range = fc
  .tuple(timestamp, timestamp)
  .filter(([one, other]) => one !== other)
  .map(([one, other]) => (one < other ? { from: one, to: other } : { from: other, to: one }));

const groupings: CountedField[][] = [[], ['application'], ['name'], ['category', 'name']];

/** Buckets of an hour that begin with a quarter of one; of minutes where a range is short; one bucket where it is long. */
function bucketsOf({ from, to }: { from: bigint; to: bigint }) {
  const [start, end] = [from / 1000n, to / 1000n];
  const size = end - start < 3_600_000n ? 60_000n : end - start < 36_000_000n ? 3_600_000n : end - start + 1n;
  const first = (start / 900_000n - 1n) * 900_000n;
  const buckets: number[] = [];
  for (let time = first; time * 1000n < to; time += size) buckets.push(Number(time));
  return {
    buckets,
    bucketOf: ({ timestamp: time }: Stored) => Number((time - first * 1000n) / (size * 1000n)),
  };
}

describe('Counts of events in ClickHouse', () => {
  let database: ClickHouseDatabase;
  let client: ClickHouse;
  let copy: CopyRepository;
  let questions: EventQuestions;

  beforeAll(async () => {
    database = await newClickHouseDatabase();
    client = new ClickHouse(database.url);
    copy = new CopyRepository(client);
    // What a caller may see, and as of when, is the business of other specs.
    questions = new EventQuestions(client, undefined as never);
  });
  afterAll(async () => {
    await client.onApplicationShutdown();
    await database.drop();
  });

  const insert = (events: readonly Stored[], batch: string): Promise<void> => {
    const lines = events.map(({ data, timestamp: time, ...fields }) =>
      JSON.stringify({ ...fields, timestamp: String(time), data_text: JSON.stringify(data), batch }),
    );
    return copy.insert('events', 'test', batch, withTypedForms(`${lines.join('\n')}\n`), false);
  };

  const scopeOf = ({ from, to }: { from: bigint; to: bigint }, one: Filter) => ({
    from: timestampAtMicroseconds(from),
    to: timestampAtMicroseconds(to),
    filter: one,
  });

  it('are those of the events, whatever the range, the filter and the groups, also after removals', async () => {
    const counts = new EventCountsRepository(questions);
    const top = new TopRepository(questions);
    const check = async (
      stored: readonly Stored[],
      ends: { from: bigint; to: bigint },
      one: Filter,
      by: CountedField[],
    ) => {
      const scope = scopeOf(ends, one);
      const found = stored.filter(
        (each) => each.timestamp >= ends.from && each.timestamp < ends.to && matches(one, each),
      );
      expect(await countEvents(questions, scope)).toBe(found.length);
      const { total, types, applications } = await top.largest(scope, 100);
      expect(total).toBe(found.length);
      const counted = <Entry>(keyOf: (each: Stored) => Entry): Record<string, number> => {
        const counts: Record<string, number> = {};
        for (const each of found) {
          const key = JSON.stringify(keyOf(each));
          counts[key] = (counts[key] ?? 0) + 1;
        }
        return counts;
      };
      const listed = (entries: readonly { count: number }[]): Record<string, number> =>
        Object.fromEntries(entries.map(({ count, ...group }) => [JSON.stringify(group), count]));
      expect(listed(types)).toEqual(counted(({ category, name }) => ({ category, name })));
      expect(listed(applications)).toEqual(counted(({ application }) => ({ application })));

      const { groups, count } =
        by.length === 0 ? { groups: [], count: 0 } : await counts.largestGroups(scope, by, 2);
      const textsOf = (each: Stored): string[] => by.map((name) => `s${each[name]}`);
      if (by.length > 0) expect(count).toBe(new Set(found.map((each) => textsOf(each).join())).size);
      const { buckets, bucketOf } = bucketsOf(ends);
      const rows = await counts.measure(scope, buckets, by, groups);
      const expected = new Map<string, number>();
      for (const each of found) {
        const group = groups.findIndex((keys) => keys.join() === textsOf(each).join());
        for (const bucket of [bucketOf(each), null])
          for (const row of by.length === 0 ? [null] : [group, null]) {
            const key = `${bucket} ${row}`;
            expected.set(key, (expected.get(key) ?? 0) + 1);
          }
      }
      const actual = rows
        .filter(({ group }) => by.length > 0 || group === null)
        .map(({ bucket, group, value }) => [`${bucket} ${group}`, value]);
      expect(Object.fromEntries(actual)).toEqual(Object.fromEntries(expected));
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(event, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(range, filter, fc.constantFrom(...groupings)), { minLength: 2, maxLength: 3 }),
        async (batches, asked) => {
          await copy.drop('events');
          await copy.create('events', { source: 'test' });
          for (const [index, batch] of batches.entries()) await insert(batch, String(index + 1));
          const stored = batches.flat();
          for (const [ends, one, by] of asked) await check(stored, ends, one, by);
          const [removed, left] = [
            stored.filter((_, n) => n % 3 === 0),
            stored.filter((_, n) => n % 3 !== 0),
          ];
          const keys = removed.map(({ id, timestamp: time }) => ({ id, timestamp: String(time) }));
          await copy.remove('events', '9', keys);
          for (const [ends, one, by] of asked) await check(left, ends, one, by);
          await client.command('OPTIMIZE TABLE events FINAL');
          for (const [ends, one, by] of asked.slice(0, 1)) await check(left, ends, one, by);
        },
      ),
      { numRuns: Number(process.env['COUNT_RUNS'] ?? 4) },
    );
  });

  it('are those of buckets that begin at any moment of any day', async () => {
    await copy.drop('events');
    await copy.create('events', { source: 'test' });
    // One event in each 7 minutes of 30 days.
    const [start, step, size] = [1_764_460_800_000_000n, 420_000_000n, 6171];
    await client.command(`INSERT INTO events (id, timestamp, application, category, name, session_id, data_text, batch)
      SELECT generateUUIDv4(), ${start} + number * ${step}, 'a', toString(number % 3), 'n', 's', '{}', 1 FROM numbers(${size})`);
    const numbers = Array.from({ length: size }, (_, index) => index);
    const counts = new EventCountsRepository(questions);
    const day = 86_400_000;
    const moment = fc.oneof(
      fc.integer({ min: 0, max: 28 }).map((days) => days * day),
      fc.integer({ min: 0, max: 28 * 96 }).map((quarters) => quarters * 900_000),
      fc.integer({ min: 0, max: 28 * day }),
    );
    const starts = fc.oneof(
      fc.uniqueArray(moment, { minLength: 2, maxLength: 12 }),
      // Weeks, days and half-days of a zone, some of them more than can be named.
      fc
        .tuple(
          fc.constantFrom(7 * day, day, day / 2, day / 24 / 4),
          fc.constantFrom(0, 3_600_000, 900_000, 60_000),
        )
        .map(([length, shift]) =>
          Array.from({ length: Math.ceil((30 * day) / length) }, (_, n) => n * length + shift),
        ),
    );
    await fc.assert(
      fc.asyncProperty(starts, fc.boolean(), fc.boolean(), async (unsorted, isFiltered, isGrouped) => {
        const buckets = unsorted.sort((a, b) => a - b).map((time) => Number(start / 1000n) + time);
        const [first = 0, second = 0] = buckets;
        const last = Math.min((buckets.at(-1) ?? 0) + second - first, Number(start / 1000n) + 29 * day);
        const ends = { from: BigInt(first) * 1000n + 1n, to: BigInt(last) * 1000n };
        const own = buckets.filter((time) => time < last);
        const one: Filter = isFiltered
          ? { kind: 'in', property: { kind: 'field', field: 'category' }, values: ['0', '2'] }
          : EVERYTHING;
        const expected: Record<string, number> = {};
        const add = (key: string): void => void (expected[key] = (expected[key] ?? 0) + 1);
        for (const number of numbers) {
          const time = start + BigInt(number) * step;
          if (time < ends.from || time >= ends.to || (isFiltered && number % 3 === 1)) continue;
          for (const bucket of [own.findLastIndex((begin) => BigInt(begin) * 1000n <= time), null]) {
            add(`${bucket} null`);
            if (isGrouped) add(`${bucket} ${number % 3 === 2 ? 0 : -1}`);
          }
        }
        const groups = isGrouped ? [['s2']] : [];
        const rows = await counts.measure(scopeOf(ends, one), own, isGrouped ? ['category'] : [], groups);
        const actual = rows
          .filter(({ group }) => isGrouped || group === null)
          .map(({ bucket, group, value }) => [`${bucket} ${group}`, value]);
        expect(Object.fromEntries(actual)).toEqual(expected);
      }),
      { numRuns: Number(process.env['COUNT_RUNS'] ?? 25) },
    );
  });

  it('are read from the projections of the table, and only the ends of a range event by event', async () => {
    await copy.drop('events');
    await copy.create('events', { source: 'test' });
    await client.command(
      `INSERT INTO events (id, timestamp, application, category, name, session_id, data_text, batch)
      SELECT generateUUIDv4(), number * 2000000, 'a', 'c', toString(number % 5), 's', '{}', 1 FROM numbers(200000)`,
      {},
      MAKING_EVENTS,
    );
    // From the second minute of a day to the last but one of the third.
    const [from, to] = [60_000_000n, 259_140_000_000n];
    const types: Filter = { kind: 'in', property: { kind: 'field', field: 'name' }, values: ['1', '2'] };
    const planOf = async (...[one, periods, column]: [Filter, (typeof DAY)[], string]): Promise<string[]> => {
      const parameters = new SqlParameters();
      const sql = countsSql(scopeOf({ from, to }, one), parameters, periods, (time) => [
        `${time} AS time`,
        column,
      ]);
      const [row] = await client.query<{ n: string }>(`SELECT sum(n) AS n FROM (${sql})`, parameters.values);
      expect(Number(row?.n)).toBe((Number(to - from) / 2_000_000) * (one === types ? 2 / 5 : 1));
      const plan = await client.query<{ explain: string }>(`EXPLAIN indexes = 1 ${sql}`, parameters.values);
      const lines = plan.map(({ explain }) => explain);
      const granules = lines.flatMap((line) => /Granules: (\d+)\/\d+$/.exec(line)?.[1] ?? []).map(Number);
      // Of 25 granules with events, a part of those with the first and the last quarter.
      expect(Math.max(...granules)).toBeLessThanOrEqual(2);
      return lines.flatMap((line) => /ReadFromMergeTree \((?:\w+\.)?(\w+)\)/.exec(line)?.[1] ?? []);
    };
    expect(await planOf(EVERYTHING, [QUARTER], 'application')).toEqual(['by_time', 'events']);
    expect((await planOf(EVERYTHING, [DAY, QUARTER], 'name'))[0]).toBe('by_day');
    expect(await planOf(types, [QUARTER], 'name')).toEqual(['by_type', 'events']);
  });
});
