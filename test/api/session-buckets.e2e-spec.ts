import fc from 'fast-check';
import { randomUUID } from 'node:crypto';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import { EVERYTHING, type Filter } from '../../src/platform/filters/filter.js';
import { timestampAtMicroseconds } from '../../src/platform/time/timestamp.js';
import { EventQuestions } from '../../src/questions/event-questions.js';
import { CopyRepository } from '../../src/replication/copy.repository.js';
import { withTypedForms } from '../../src/replication/typed-form.js';
import { SessionBucketsRepository } from '../../src/statistics/measures/session-buckets.repository.js';
import { matches } from '../../testing/filter-oracle.js';
import {
  type ClickHouseDatabase,
  MAKING_EVENTS,
  newClickHouseDatabase,
} from '../support/worker-clickhouse.js';

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 28);

interface Stored {
  readonly id: string;
  /** Microseconds since 1970. */
  readonly timestamp: bigint;
  readonly application: string;
  readonly session_id: string;
}

/** Of some hours, and of some sessions that last for all of them or for minutes. */
const events = fc.array(
  fc
    .tuple(
      fc.integer({ min: 0, max: 59 }),
      fc.integer({ min: 0, max: 8 }),
      fc.constantFrom(0, 0, 0, 1, 5),
      fc.constantFrom('a', 'b'),
    )
    .map(([minute, session, hours, application]): Stored => {
      const hour = session < 6 ? session + hours : session * hours;
      return {
        id: randomUUID(),
        timestamp: BigInt(START_MS + hour * HOUR_MS + minute * 60_000) * 1000n,
        application,
        session_id: `session ${session}`,
      };
    }),
  { minLength: 1, maxLength: 60 },
);

const filter = fc.constantFrom<Filter>(
  EVERYTHING,
  { kind: 'in', property: { kind: 'field', field: 'application' }, values: ['a'] },
  { kind: 'not', filter: { kind: 'in', property: { kind: 'field', field: 'application' }, values: ['a'] } },
);

/** Regular ones, and others as where clocks are changed: when each begins, and last when the last one ends, in hours. */
const bucketEnds = fc.constantFrom(
  [0, 48],
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
  [-1, 2, 5, 8, 11, 14, 17],
  [1, 2, 4, 5, 6, 9, 48],
  [-0.5, 3.25, 3.5, 48],
);

describe('Sessions by bucket in ClickHouse', () => {
  let database: ClickHouseDatabase;
  let client: ClickHouse;
  let copy: CopyRepository;
  let sessions: SessionBucketsRepository;

  beforeAll(async () => {
    database = await newClickHouseDatabase();
    client = new ClickHouse(database.url);
    copy = new CopyRepository(client);
    // What a caller may see, and as of when, is the business of other specs.
    sessions = new SessionBucketsRepository(new EventQuestions(client, undefined as never));
  });
  afterAll(async () => {
    await client.onApplicationShutdown();
    await database.drop();
  });
  beforeEach(async () => {
    await copy.drop('events');
    await copy.create('events', { source: 'test' });
  });

  const insert = (batch: readonly Stored[], number: string): Promise<void> => {
    const lines = batch.map(({ timestamp, ...fields }) =>
      JSON.stringify({
        ...fields,
        timestamp: String(timestamp),
        category: 'c',
        name: 'n',
        data_text: '{}',
        batch: number,
      }),
    );
    return copy.insert('events', 'test', number, withTypedForms(`${lines.join('\n')}\n`), false);
  };

  const scopeOf = (hours: readonly [number, number], one: Filter) => {
    const [from, to] = hours.map((hour) =>
      timestampAtMicroseconds(BigInt(START_MS + hour * HOUR_MS) * 1000n),
    );
    return { from: from as NonNullable<typeof from>, to: to as NonNullable<typeof to>, filter: one };
  };

  it('are those of the events, whatever the range, the buckets and the application, also after removals', async () => {
    let answered = 0;
    const check = async (
      stored: readonly Stored[],
      ends: readonly number[],
      [minutes, hours]: readonly [number, number],
      one: Filter,
    ): Promise<void> => {
      const [first = 0, last = 0] = [ends[0], ends.at(-1)];
      const range = [first + minutes / 60, Math.min(first + minutes / 60 + hours, last)] as const;
      const buckets = ends.filter((start) => start < range[1]).map((start) => START_MS + start * HOUR_MS);
      const rows = await sessions.measure(scopeOf(range, one), buckets);
      const expected = new Map<number | null, Set<string>>();
      for (const each of stored) {
        const time = Number(each.timestamp / 1000n);
        if (!matches(one, { ...each, category: 'c', name: 'n', data: {} })) continue;
        if (time < START_MS + range[0] * HOUR_MS || time >= START_MS + range[1] * HOUR_MS) continue;
        for (const bucket of [buckets.findLastIndex((start) => start <= time), null])
          expected.set(bucket, (expected.get(bucket) ?? new Set()).add(each.session_id));
      }
      if (!rows) return;
      answered++;
      expect(new Map(rows.map(({ bucket, value }) => [bucket, value]))).toEqual(
        new Map([...expected].map(([bucket, ids]) => [bucket, ids.size])),
      );
    };
    const range = fc.tuple(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 1, max: 40 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(events, { minLength: 1, maxLength: 3 }),
        fc.array(fc.tuple(bucketEnds, range, filter), { minLength: 3, maxLength: 5 }),
        async (batches, asked) => {
          await copy.drop('events');
          await copy.create('events', { source: 'test' });
          for (const [index, batch] of batches.entries()) await insert(batch, String(index + 1));
          const stored = batches.flat();
          for (const one of asked) await check(stored, ...one);
          const removed = stored.filter((_, n) => n % 3 === 0);
          const keys = removed.map(({ id, timestamp }) => ({ id, timestamp: String(timestamp) }));
          await copy.remove('events', '9', keys);
          for (const one of asked)
            await check(
              stored.filter((_, n) => n % 3 !== 0),
              ...one,
            );
        },
      ),
      { numRuns: Number(process.env['COUNT_RUNS'] ?? 8) },
    );
    expect(answered).toBeGreaterThan(8);
  });

  const HOURS = 20;
  const EVENTS_PER_HOUR = 10;
  /** Inserts so many sessions of HOURS. */
  const insertLong = (count: number): Promise<void> =>
    client.command(
      `INSERT INTO events (id, timestamp, application, category, name, session_id, data_text, batch)
      SELECT generateUUIDv4(), ${START_MS}000 + number % ${HOURS} * ${HOUR_MS}000, 'a', 'c', 'n',
        toString(intDiv(number, ${HOURS * EVENTS_PER_HOUR})), '{}', 1
      FROM numbers(${count * HOURS * EVENTS_PER_HOUR})`,
      {},
      MAKING_EVENTS,
    );
  const hourly = Array.from({ length: HOURS }, (_, hour) => START_MS + hour * HOUR_MS);

  it('are read from the projection of sessions, and those of long sessions from the events', async () => {
    await insertLong(900);
    const rows = await sessions.measure(scopeOf([0, HOURS], EVERYTHING), hourly);
    expect(rows).toHaveLength(HOURS + 1);
    expect(rows?.every(({ value }) => value === 900)).toBe(true);
    const halves = await sessions.measure(scopeOf([0, HOURS], EVERYTHING), [
      START_MS,
      START_MS + 10 * HOUR_MS,
    ]);
    expect(halves?.map(({ value }) => value)).toEqual([900, 900, 900]);
    const plan = await client.query<{ explain: string }>(
      'EXPLAIN SELECT cityHash64(session_id) AS hash, min(timestamp), max(timestamp) FROM events GROUP BY hash',
    );
    expect(plan.some(({ explain }) => explain.includes('ReadFromMergeTree (sessions)'))).toBe(true);
  });

  it('are not read from the projection where that takes longer: with many long sessions, or few events of each', async () => {
    await insertLong(1100);
    expect(await sessions.measure(scopeOf([0, HOURS], EVERYTHING), hourly)).toBeUndefined();
    expect(await sessions.measure(scopeOf([0, HOURS], EVERYTHING), [START_MS])).toHaveLength(2);
    await client.command(`INSERT INTO events (id, timestamp, application, category, name, session_id, data_text, batch)
      SELECT generateUUIDv4(), ${START_MS}000, 'short', 'c', 'n', toString(-number), '{}', 1 FROM numbers(5000)`);
    const short: Filter = {
      kind: 'in',
      property: { kind: 'field', field: 'application' },
      values: ['short'],
    };
    expect(await sessions.measure(scopeOf([0, HOURS], short), [START_MS])).toBeUndefined();
  });
});
