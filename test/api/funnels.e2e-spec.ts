import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import type { Filter, Property } from '../../src/platform/filters/filter.js';
import { parseJsonFilter } from '../../src/platform/filters/json-filter.js';
import { parseProperty } from '../../src/platform/filters/property-name.js';
import { matches, valueOf } from '../../testing/filter-oracle.js';
import { Random } from '../../testing/random.js';
import { anEvent, type EyeResponse, type TheEye } from '../../testing/the-eye.js';
import { Copy } from '../support/replication.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';
import {
  actorsOf,
  type Attempt,
  attemptsOf,
  countsOf,
  isScalar,
  pathsOf,
  type StoredEvent,
} from '../support/step-oracle.js';

const random = new Random(2031);

const START = Date.parse('2026-04-01T00:00:00Z');
const RANGES = [
  { from: '2026-04-01', to: '2026-04-01' },
  { from: '2026-04-01T00:05:00Z', to: '2026-04-01T00:14:30.000001Z' },
];

/** A clock was put back by half an hour there on 5 April. */
const LORD_HOWE = 'Australia/Lord_Howe';

/** Values of every type, and some that look alike. */
const VALUES: readonly unknown[] = [1, '1', true, 'true', 1.5, 'ä 𝄞', '', null, [1], { b: 1 }];

/** Few moments, so that many events share one; some are a microsecond apart. */
const randomMoment = (): string =>
  new Date(START + Math.floor(random.between(0, 40)) * 30_000)
    .toISOString()
    .replace('.000Z', random.chance(0.2) ? '.000001Z' : '.000000Z');

/** The same for all events of a moment, so that it does not matter which of them decides about a group. */
const planAt = (timestamp: string): unknown =>
  VALUES[Math.floor(Date.parse(timestamp) / 30_000) % VALUES.length];

const randomEvent = (): Record<string, unknown> => {
  const timestamp = randomMoment();
  return anEvent({
    session_id: `visit ${Math.floor(random.between(0, 25))}/ä`,
    category: random.of(['a', 'b']),
    name: random.of(['x', 'y', 'z']),
    timestamp,
    data: {
      n: Math.floor(random.between(0, 1e6)),
      v: random.of(VALUES),
      plan: planAt(timestamp),
      user: random.of(VALUES),
    },
  });
};

/** Of the category `r`, over a month. */
const randomReturn = (): Record<string, unknown> =>
  anEvent({
    session_id: `visit ${Math.floor(random.between(0, 9))}`,
    category: 'r',
    name: random.of(['begin', 'come']),
    timestamp: new Date(
      Date.parse('2026-03-20T00:00:00Z') + Math.floor(random.between(0, 30 * 48)) * 1_800_000,
    ).toISOString(),
    data: { n: Math.floor(random.between(0, 1e6)), user: random.of(['u', 'v', 'w', 1, null]) },
  });

const WHERES: readonly Record<string, unknown>[] = [
  { 'data.v': 1 },
  { 'data.v': { in: ['1', true, 1.5] } },
  { 'data.v': { exists: true }, not: { name: 'y' } },
  { any: [{ 'data.n': { lt: 300_000 } }, { application: 'shop' }] },
];
const where = fc.option(fc.constantFrom(...WHERES), { nil: undefined });
const step = fc.record(
  {
    category: fc.constantFrom('a', 'b'),
    name: fc.constantFrom('x', 'y', 'z'),
    where: fc.constantFrom(...WHERES),
  },
  { requiredKeys: ['category'] },
);
const by = fc.constantFrom('session_id', 'session_id', 'data.user');
const range = fc.constantFrom(...RANGES);

type JsonStep = { category: string; name?: string | undefined; where?: Record<string, unknown> | undefined };
const filterOf = ({ category, name, where }: JsonStep): Filter =>
  parseJsonFilter({ category, ...(name !== undefined && { name }), ...(where && { all: [where] }) });

/** How often each value occurs, most often first. */
function sizesOf(values: readonly unknown[]): number[] {
  const sizes = new Map<unknown, number>();
  for (const value of values) sizes.set(value, (sizes.get(value) ?? 0) + 1);
  return [...sizes.values()].sort((a, b) => b - a);
}

describe('Funnels, retention and paths', () => {
  let eye: TheEye;
  let events: StoredEvent[];

  beforeAll(async () => {
    eye = await startEyeWithClickHouse();
    await eye.store(Array.from({ length: 500 }, randomEvent));
    await eye.store(Array.from({ length: 250 }, randomReturn));
    await eye.sql(
      `INSERT INTO events SELECT overlay(id::text placing '8aaa' from 15)::uuid, 'shop', session_id, category, name, data, timestamp, data_sha256
       FROM events WHERE (data->>'n')::int % 5 = 0`,
    );
    await new Copy(eye).caughtUp();
    await eye.sql(`DELETE FROM events WHERE (data->>'n')::int % 7 = 0`);
    await new Copy(eye).caughtUp();
    const rows = await eye.sql<StoredEvent & { time: string }>(
      `SELECT id, application, session_id, category, name, data, (extract(epoch FROM timestamp) * 1000000)::bigint AS time FROM events`,
    );
    events = rows.map((row) => ({ ...row, time: Number(row.time) }));
    expect(events.length).toBeGreaterThan(600);
  });
  afterAll(() => eye.close());

  const ask = async (route: string, body: object): Promise<any> => {
    const response = await eye.post(`/statistics/${route}/`, body);
    expect({ body, status: response.status, answer: response.body }).toMatchObject({ status: 200 });
    expect(Date.now() - Date.parse(response.body.as_of)).toBeLessThan(60_000);
    return response.body;
  };

  const inRange = (
    { from, to }: { from: string; to: string },
    filter?: Record<string, unknown>,
  ): StoredEvent[] =>
    events.filter(
      (event) =>
        event.time >= Number(microseconds(from)) &&
        event.time < Number(microseconds(to)) &&
        (filter === undefined || matches(parseJsonFilter(filter), event)),
    );
  const microseconds = (text: string): bigint => Temporal.Instant.from(text).epochNanoseconds / 1000n;

  const funnel = fc.record(
    {
      steps: fc.array(step, { minLength: 2, maxLength: 4 }),
      window: fc.constantFrom(1, 30, 60, 300, 3600),
      order: fc.constantFrom('loose', 'strict'),
      by,
      where,
      range,
    },
    { requiredKeys: ['steps', 'window', 'range'] },
  );
  const attempts = (query: any, { from, to }: any): Attempt[] =>
    attemptsOf(inRange({ from, to }, query.where), {
      steps: query.steps.map(filterOf),
      window: query.window,
      isStrict: query.order === 'strict',
      by: parseProperty(query.by ?? 'session_id'),
    });
  it('counts who reached each step of a funnel, and how long it took', async () => {
    let reachedLast = 0;
    await fc.assert(
      fc.asyncProperty(funnel, async ({ range, ...query }) => {
        const answer = await ask('funnel', { ...query, ...range });
        const expected = countsOf(attempts(query, answer), query.steps.length);
        expect({ steps: answer.steps, total: answer.total }).toEqual({
          steps: query.steps.map((one, index) => ({ ...one, ...expected.steps[index] })),
          total: expected.total,
        });
        const { order = 'loose', window, by = 'session_id' } = query;
        expect(answer).toMatchObject({ order, window, by });
        if (answer.steps.at(-1).sessions > 0) reachedLast++;
      }),
      { numRuns: 30 },
    );
    expect(reachedLast).toBeGreaterThan(2);
  });

  it('counts the largest groups of a funnel, by the event of the first step, and all others together', async () => {
    const groups = fc.record({
      group_by: fc.constantFrom('data.plan', 'session_id'),
      limit: fc.integer({ min: 1, max: 6 }),
    });
    await fc.assert(
      fc.asyncProperty(funnel, groups, async ({ range, ...query }, { group_by, limit }) => {
        // The sessions of a user may have events of the same moment.
        const by = group_by === 'session_id' ? 'session_id' : (query.by ?? 'session_id');
        const answer = await ask('funnel', { ...query, ...range, by, group_by, limit });
        const all = attempts({ ...query, by }, answer);
        const groupOf = ({ first }: Attempt): unknown => {
          const value = valueOf(parseProperty(group_by), first);
          return isScalar(value) ? value : null;
        };
        const sizes = sizesOf(all.map(groupOf));
        const listed = answer.groups.filter(({ others }: any) => !others);
        expect(listed.map(({ steps }: any) => steps[0].sessions)).toEqual(sizes.slice(0, limit));
        const values = listed.map(({ value }: any) => value as unknown);
        const expected = listed.map(({ value }: any) => ({
          value,
          ...countsOf(
            all.filter((attempt) => groupOf(attempt) === value),
            query.steps.length,
          ),
        }));
        if (sizes.length > limit)
          expected.push({
            others: true,
            groups: sizes.length - limit,
            ...countsOf(
              all.filter((attempt) => !values.includes(groupOf(attempt))),
              query.steps.length,
            ),
          });
        expect(answer.groups).toEqual(expected);
      }),
      { numRuns: 12 },
    );
  });

  it('lists who reached a step and not the next one, newest first', async () => {
    await fc.assert(
      fc.asyncProperty(
        funnel,
        fc.nat(),
        fc.integer({ min: 1, max: 30 }),
        async ({ range, ...query }, seed, limit) => {
          const step = 2 + (seed % (query.steps.length - 1));
          const answer = await ask('funnel', { ...query, ...range, dropped: { step, limit } });
          const expected = attempts(query, answer)
            .filter(({ times }) => times.length === step - 1)
            .map(({ actor, times }) => ({ id: actor, time: times.at(-1) ?? 0 }))
            .sort((a, b) => b.time - a.time);
          const actual = answer.dropped.map(({ id, reached_at }: any) => ({
            id,
            time: Number(microseconds(reached_at)),
          }));
          expect(actual.map(({ time }: any) => time)).toEqual(
            expected.slice(0, limit).map(({ time }) => time),
          );
          for (const one of actual) expect(expected).toContainEqual(one);
          expect(new Set(actual.map(({ id }: any) => id)).size).toBe(actual.length);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('counts who returns in later periods, in zones that shift by half an hour', async () => {
    const retention = fc.record(
      {
        return: fc.constantFrom(
          { category: 'r' },
          { category: 'r', name: 'come' },
          { category: 'r', where: { 'data.n': { gte: 500_000 } } },
        ),
        interval: fc.constantFrom('day', 'week', 'month'),
        timezone: fc.constantFrom(LORD_HOWE, 'Asia/Kolkata', 'UTC'),
        week_start: fc.constantFrom('monday', 'sunday'),
        periods: fc.integer({ min: 1, max: 60 }),
        by,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(retention, async (query) => {
        const start = { category: 'r', name: 'begin' };
        const answer = await ask('retention', { start, from: '2026-03-25', to: '2026-04-15', ...query });
        const { timezone = 'UTC', interval = 'day', periods = 7 } = query;
        const starts = answer.cohorts.map((cohort: any) => Number(microseconds(cohort.start)));
        if (interval === 'day') expect(starts).toEqual(daysIn(timezone, '2026-03-25', '2026-04-15'));
        const periodOf = (event: StoredEvent): number =>
          starts.findLastIndex((time: number) => time <= event.time);
        const expected = starts.map(() => ({ size: 0, counts: Array<number>(periods + 1).fill(0) }));
        for (const ofActor of actorsOf(inRange(answer), parseProperty(query.by ?? 'session_id')).values()) {
          const begins = ofActor.filter((event) => matches(filterOf(start), event));
          const returns = ofActor.filter((event) => !query.return || matches(filterOf(query.return), event));
          for (const cohort of new Set(begins.map(periodOf))) {
            expected[cohort].size++;
            const first = begins.find((event) => periodOf(event) === cohort)?.time ?? 0;
            const offsets = returns
              .filter(({ time }) => time >= first)
              .map((event) => periodOf(event) - cohort);
            for (const offset of new Set(offsets)) if (offset <= periods) expected[cohort].counts[offset]++;
          }
        }
        expect(answer.cohorts).toEqual(
          expected.map(({ size, counts }: any, index: number) => ({
            start: answer.cohorts[index].start,
            size,
            counts: counts.map((count: number, offset: number) =>
              index + offset < starts.length ? count : null,
            ),
          })),
        );
      }),
      { numRuns: 15 },
    );
  });

  const daysIn = (timezone: string, from: string, to: string): number[] => {
    const starts: number[] = [];
    for (
      let day = Temporal.PlainDate.from(from);
      Temporal.PlainDate.compare(day, to) <= 0;
      day = day.add({ days: 1 })
    )
      starts.push(day.toZonedDateTime(timezone).epochMilliseconds * 1000);
    return starts;
  };

  it('knows nothing of periods that have not begun', async () => {
    const day = (offset: number): string => Temporal.Now.plainDateISO('UTC').add({ days: offset }).toString();
    const body = { start: { category: 'a' }, from: day(-1), to: day(2), periods: 3 };
    const { cohorts } = await ask('retention', body);
    expect(cohorts.map(({ counts }: any) => counts)).toEqual([
      [0, 0, null, null],
      [0, null, null, null],
      [null, null, null, null],
      [null, null, null, null],
    ]);
  });

  it('follows paths after and before an event as the nodes and links of a diagram', async () => {
    const paths = fc.record(
      {
        step,
        direction: fc.constantFrom('after', 'before'),
        depth: fc.integer({ min: 1, max: 5 }),
        by_property: fc.constantFrom('data.v', 'name'),
        limit: fc.integer({ min: 1, max: 6 }),
        by,
        where,
        range,
      },
      { requiredKeys: ['step', 'range'] },
    );
    await fc.assert(
      fc.asyncProperty(paths, async ({ range, ...query }) => {
        const answer = await ask('paths', { ...query, ...range });
        const { direction = 'after', depth = 3, by_property, limit = 10 } = query;
        const expected = pathsOf(inRange(answer, query.where), {
          step: filterOf(query.step),
          by: parseProperty(query.by ?? 'session_id'),
          direction: direction,
          depth,
          value: by_property === undefined ? typeOf : scalarAt(parseProperty(by_property)),
        });
        expectDiagram(answer, expected, { depth, limit });
        const { category, name } = query.step;
        expect(answer.nodes[0]).toEqual({
          level: 0,
          value: { category, name },
          sessions: expected.length,
          share: 1,
        });
      }),
      { numRuns: 20 },
    );
  });

  const typeOf = ({ category, name }: StoredEvent): unknown => ({ category, name });
  const scalarAt =
    (property: Property) =>
    (event: StoredEvent): unknown => {
      const value = valueOf(property, event);
      return isScalar(value) ? value : undefined;
    };

  const expectDiagram = (
    answer: any,
    paths: unknown[][],
    { depth, limit }: { depth: number; limit: number },
  ): void => {
    const text = (value: unknown): string => JSON.stringify(value);
    /** The node of each level at which a value is. */
    const nodeAt = (level: number, value: unknown): number => {
      const own = answer.nodes.findIndex(
        (node: any) => node.level === level && !node.others && text(node.value) === text(value),
      );
      return own === -1 ? answer.nodes.findIndex((node: any) => node.level === level && node.others) : own;
    };
    const links = new Map<string, number>();
    for (const path of paths)
      for (const [index, value] of path.entries()) {
        const link = `${index === 0 ? 0 : nodeAt(index, path[index - 1])} ${nodeAt(index + 1, value)}`;
        links.set(link, (links.get(link) ?? 0) + 1);
      }
    const actual = answer.links.map(({ source, target, sessions }: any) => [`${source} ${target}`, sessions]);
    expect(actual.sort()).toEqual([...links].sort());
    expect(answer.sessions).toBe(paths.length);
    for (let level = 1; level <= depth; level++) {
      const values = paths.flatMap((path) => (path.length >= level ? [text(path[level - 1])] : []));
      const sizes = sizesOf(values.filter((value) => value !== 'null'));
      const nodes = answer.nodes.filter((node: any) => node.level === level);
      const largest = nodes.filter(({ others, value }: any) => !others && value !== null);
      expect(largest.map(({ sessions }: any) => sessions)).toEqual(sizes.slice(0, limit));
      const others = sizes.slice(limit);
      const ended = values.filter((value) => value === 'null').length;
      expect(nodes.slice(largest.length)).toMatchObject([
        ...(others.length > 0
          ? [{ others: true, values: others.length, sessions: others.reduce((sum, size) => sum + size) }]
          : []),
        ...(ended > 0 ? [{ value: null, sessions: ended }] : []),
      ]);
      for (const { sessions, share } of nodes) expect(share).toBeCloseTo(sessions / paths.length, 9);
    }
  };

  it('finds nothing, and says so in the same shape, where there is nothing', async () => {
    const nowhere = { from: '2001-01-01', to: '2001-01-01' };
    const none = { median: null, p90: null };
    const A = { category: 'a' };
    expect(
      await ask('funnel', { steps: [A, A], window: 1, group_by: 'name', dropped: { step: 2 }, ...nowhere }),
    ).toMatchObject({
      steps: [
        { category: 'a', sessions: 0 },
        { category: 'a', sessions: 0, from_previous: none },
      ],
      total: none,
      groups: [],
      dropped: [],
    });
    expect(await ask('retention', { start: A, periods: 1, ...nowhere })).toMatchObject({
      cohorts: [{ size: 0, counts: [0, null] }],
    });
    expect(await ask('paths', { step: A, ...nowhere })).toMatchObject({
      sessions: 0,
      nodes: [{ level: 0, value: A, sessions: 0 }],
      links: [],
    });
  });

  const A = { category: 'a', name: 'a' };
  const badWhere = { any: [{ 'data.price': { near: 1 } }] };
  it.each<[string, object, Record<string, string>]>([
    ['funnel', { window: 1 }, { steps: 'required' }],
    ['funnel', { steps: [A], window: 1 }, { steps: '2 to 10' }],
    ['funnel', { steps: Array(11).fill(A), window: 1 }, { steps: '2 to 10' }],
    ['funnel', { steps: [A, 'a'], window: 1 }, { steps: '1: Must be an object' }],
    ['funnel', { steps: [A, { ...A, data: 1 }], window: 1 }, { steps: '1.data: Unknown' }],
    ['funnel', { steps: [A, { name: 'a' }], window: 1 }, { steps: '1.category: This field is required.' }],
    [
      'funnel',
      { steps: [A, { category: 'a', name: '' }], window: 1 },
      { steps: '1.name: Must not be empty.' },
    ],
    [
      'funnel',
      { steps: [A, { ...A, where: badWhere }], window: 1 },
      { steps: '1.where.any.0.data.price.near: There is no operator' },
    ],
    [
      'funnel',
      { steps: [A, { ...A, where: [] }], window: 1 },
      { steps: '1.where: Must be an object of conditions' },
    ],
    [
      'funnel',
      { steps: [A, A], window: 1, where: badWhere },
      { where: 'any.0.data.price.near: There is no operator' },
    ],
    ['funnel', { steps: [A, A] }, { window: 'required' }],
    ['funnel', { steps: [A, A], window: 0 }, { window: '1 to 31622400' }],
    ['funnel', { steps: [A, A], window: '9' }, { window: 'whole number' }],
    ['funnel', { steps: [A, A], window: 1, from: '2026-02-30' }, { from: 'does not exist' }],
    ['funnel', { steps: [A, A], window: 1, from: null, to: 7 }, { from: 'a string', to: 'a string' }],
    ['funnel', { steps: [A, A], window: 1, from: '2026-02-02', to: '2026-02-01' }, { from: 'before `to`' }],
    ['funnel', { steps: [A, A], window: 1, until: 1 }, { until: 'Unknown field' }],
    [
      'funnel',
      { steps: [A, A], window: 1, order: null, by: 'data', group_by: 7 },
      { order: 'loose, strict', by: 'a path inside', group_by: 'name of a property' },
    ],
    ['funnel', { steps: [A, A], window: 1, limit: 101 }, { limit: 'at most 100' }],
    [
      'funnel',
      { steps: [A, A], window: 1, dropped: { step: 3 } },
      { dropped: 'step: There are only 2 steps.' },
    ],
    [
      'funnel',
      { steps: [A, A], window: 1, dropped: { step: 1 } },
      { dropped: 'step: Must be a whole number from 2 to 10.' },
    ],
    [
      'funnel',
      { steps: [A, A], window: 1, dropped: { step: 2, limit: 0 } },
      { dropped: 'limit: Must be a whole number' },
    ],
    ['retention', { return: A }, { start: 'required' }],
    [
      'retention',
      { start: { category: 1 }, return: null },
      { start: 'category: Must be a string.', return: 'Must be an object' },
    ],
    [
      'retention',
      { start: A, interval: 'hour', periods: 61, timezone: 'Mars' },
      { interval: 'day, week, month', periods: 'at most 60', timezone: 'time zone' },
    ],
    [
      'retention',
      { start: A, from: '2020-01-01', to: '2021-01-01', periods: 60 },
      { periods: 'more than 20,000 counts' },
    ],
    ['paths', {}, { step: 'required' }],
    [
      'paths',
      { step: A, depth: 6, direction: 'up', by_property: 'data.' + 'a.'.repeat(101) },
      { depth: 'at most 5', direction: 'after, before', by_property: '100 levels' },
    ],
  ])('rejects POST /statistics/%s/ with %j', async (route, body, errors) => {
    const { status, body: problem }: EyeResponse = await eye.post(`/statistics/${route}/`, body);
    expect({ status, errors: problem.errors }).toEqual({
      status: 400,
      errors: Object.fromEntries(
        Object.entries(errors).map(([field, message]) => [field, [expect.stringContaining(message)]]),
      ),
    });
  });

  it.each([
    ['of ten steps', 10, { gte: 1 }],
    ['with long lists', 2, { in: Array.from({ length: 100 }, (_, value) => `value ${value}`) }],
  ])('refuses conditions %s that ClickHouse cannot analyse in time, by name', async (_, count, condition) => {
    const where = Object.fromEntries(
      Array.from({ length: 30 }, (__, path) => [`data.path${path}`, condition]),
    );
    const steps = Array.from({ length: count }, () => ({ ...A, where }));
    const { status, body }: EyeResponse = await eye.post('/statistics/funnel/', { steps, window: 1 });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'question_too_large' });
    expect(body.detail).toMatch(/conditions of this question.*fewer steps/);
  });
});
