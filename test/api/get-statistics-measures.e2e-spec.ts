import { Random } from '../../testing/random.js';
import { anEvent, eventually, type TheEye } from '../../testing/the-eye.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

const random = new Random(16);

const FROM = '2026-03-28T00:00:00Z';
const TO = '2026-03-31T00:00:00Z';
/** A clock was put forward on the 29th there. */
const TIMEZONE = 'Europe/Berlin';

type Data = Record<string, unknown>;
interface Sent {
  session_id: string;
  category: string;
  name: string;
  data: Data;
  timestamp: string;
}

/** Values of every type, and as many that look alike. */
const VALUES: unknown[] = [
  1,
  1.5,
  -3,
  0,
  1e300,
  5e-324,
  9007199254740992,
  '1',
  '1.5',
  '',
  'ä 𝄞',
  '"quoted"\\',
  '2026-01-01',
  true,
  false,
  null,
  [1, 2],
  { b: 1 },
  [{ b: 1 }],
  {},
];

const PATHS = {
  'data.v': ['v'],
  'data.a.b': ['a', 'b'],
  'data.a\\.b': ['a.b'],
  'data.': [''],
  'data.ke"y`\\\\': ['ke"y`\\'],
};

function randomData(): Data {
  const data: Data = { v: random.of(VALUES) };
  if (random.chance(0.5)) data['a'] = { b: random.of(VALUES) };
  if (random.chance(0.3)) data['a.b'] = random.of(VALUES);
  if (random.chance(0.3)) data[''] = random.of(VALUES);
  if (random.chance(0.3)) data['ke"y`\\'] = random.of(VALUES);
  if (random.chance(0.7)) data['price'] = Math.floor(random.between(0, 10_000)) / 100;
  return data;
}

function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Data)[key];
  }
  return value;
}

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);

/** What SQL calls PERCENTILE_CONT. */
function percentile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const [below = NaN, above = below] = sorted.slice(low, low + 2);
  return below + (above - below) * (place - low);
}

function measured(measure: string, events: readonly Sent[]): number | null {
  const [kind = '', name = ''] = measure.split(/:(.*)/s);
  if (kind === 'events') return events.length;
  if (kind === 'sessions') return new Set(events.map(({ session_id }) => session_id)).size;
  const path = (PATHS as Record<string, string[]>)[name] ?? name.split('.').slice(1);
  const values = events.map((event) => (name === 'category' ? event.category : valueAt(event.data, path)));
  if (kind === 'unique') return new Set(values.filter(isScalar).map((value) => JSON.stringify(value))).size;
  const numbers = values.filter((value) => typeof value === 'number').sort((a, b) => a - b);
  const sum = numbers.reduce((total, number) => total + number, 0);
  if (kind === 'sum') return sum;
  if (numbers.length === 0) return null;
  if (kind === 'avg') return sum / numbers.length;
  if (kind === 'min') return numbers[0] ?? null;
  if (kind === 'max') return numbers.at(-1) ?? null;
  return percentile(numbers, Number(kind.slice(1)) / 100);
}

/** Equal but for rounding. */
function expectClose(actual: unknown, expected: unknown): void {
  if (typeof actual === 'number' && typeof expected === 'number' && expected !== 0)
    expect(Math.abs(actual / expected - 1)).toBeLessThan(1e-9);
  else expect(actual).toEqual(expected);
}

describe('GET /statistics/events with a measure', () => {
  let eye: TheEye;
  const sent: Sent[] = [];

  beforeAll(async () => {
    eye = await startEyeWithClickHouse();
    for (let batch = 0; batch < 8; batch++) {
      const events = Array.from({ length: 100 }, () => {
        const milliseconds =
          Date.parse(FROM) + Math.floor(random.between(0, Date.parse(TO) - Date.parse(FROM)));
        return {
          ...anEvent({
            session_id: `session ${Math.floor(random.between(0, 40))}`,
            category: random.of(['a', 'b']),
            name: random.of(['x', 'y', 'z']),
            data: randomData(),
            timestamp: new Date(milliseconds).toISOString().replace('Z', '123Z'),
          }),
        };
      });
      await eye.store(events);
      sent.push(...events);
    }
    await copied();
  });
  afterAll(() => eye.close());

  /** Resolves once ClickHouse has what PostgreSQL has. */
  const copied = (): Promise<void> =>
    eventually(async () => {
      const [state] = await eye.sql<{ waits: boolean }>(
        `SELECT copy IS NULL OR batch_kind IS NOT NULL OR EXISTS (SELECT FROM replication_log) AS waits FROM replication_state`,
      );
      if (state?.waits !== false) throw new Error('Events are not copied yet.');
    }, 60_000);

  const get = async (query: Record<string, string>): Promise<any> => {
    const parameters = { from: FROM, to: TO, interval: 'day', timezone: TIMEZONE, ...query };
    const { status, body } = await eye.get(
      `/statistics/events/?${new URLSearchParams(parameters).toString()}`,
    );
    expect({ query, status, body }).toEqual({ query, status: 200, body: expect.anything() });
    return body;
  };

  const between = (from: string, to: string | undefined, events = sent): Sent[] =>
    events.filter(({ timestamp }) => timestamp >= from && (to === undefined || timestamp < to));

  const NUMBERS = ['sum', 'avg', 'min', 'max', 'p50', 'p90', 'p95', 'p99'];
  it.each([
    'sessions',
    'unique:category',
    ...Object.keys(PATHS).map((path) => `unique:${path}`),
    ...NUMBERS.map((kind) => `${kind}:data.price`),
    ...Object.keys(PATHS).flatMap((path) => [`max:${path}`, `p50:${path}`]),
    'avg:data.nothing',
  ])('measures %s in each bucket and in the whole range', async (measure) => {
    for (const interval of ['hour', 'day', 'week']) {
      const { value, buckets, series, as_of, measure: named } = await get({ measure, interval });
      expect(named).toBe(measure);
      expect(Date.now() - Date.parse(as_of)).toBeLessThan(60_000);
      expectClose(value, measured(measure, sent));
      expect(series).toHaveLength(1);
      for (const [index, start] of buckets.entries())
        expectClose(series[0].values[index], measured(measure, between(start, buckets[index + 1])));
    }
  });

  it.each(Object.entries(PATHS))('groups by the values of %s, each with its type', async (group_by, path) => {
    const { series, total } = await get({ group_by, limit: '100' });
    expect(total).toBe(sent.length);
    const expected = new Map<string, number>();
    for (const { data } of sent) {
      const value = valueAt(data, path);
      const key = JSON.stringify(isScalar(value) ? value : null);
      expected.set(key, (expected.get(key) ?? 0) + 1);
    }
    const actual = series.map(({ properties, total: count }: any) => [
      JSON.stringify(properties[group_by]),
      count,
    ]);
    expect(actual.sort()).toEqual([...expected].sort());
  });

  it('has a series of the largest groups of two properties, and one of all others', async () => {
    const { series, buckets } = await get({ group_by: 'name,data.v', measure: 'sessions', limit: '5' });
    expect(series).toHaveLength(6);
    const keyOf = ({ name, v }: { name: string; v: unknown }): string =>
      JSON.stringify([name, isScalar(v) ? v : null]);
    const listed = new Set(
      series.slice(0, 5).map(({ name, properties }: any) => keyOf({ name, v: properties['data.v'] })),
    );
    for (const { name, properties, others, value, values } of series) {
      const events = sent.filter((event) => {
        const key = keyOf({ name: event.name, v: event.data['v'] });
        return others ? !listed.has(key) : key === keyOf({ name, v: properties['data.v'] });
      });
      expect(value).toBe(measured('sessions', events));
      for (const [index, start] of buckets.entries())
        expect(values[index]).toBe(measured('sessions', between(start, buckets[index + 1], events)));
    }
    const groups = new Set(sent.map(({ name, data }) => keyOf({ name, v: data['v'] }))).size;
    expect(series[5]).toMatchObject({ others: true, groups: groups - 5 });
  });

  it('counts only the events that meet conditions', async () => {
    const { total, series } = await get({ 'data.v': '1', category: 'a' });
    const matching = sent.filter(({ category, data }) => category === 'a' && data['v'] === '1');
    expect(total).toBe(matching.length);
    expect(series[0].counts.reduce((sum: number, count: number) => sum + count, 0)).toBe(total);
    const session = await get({ session_id: 'session 3' });
    expect(session.total).toBe(sent.filter(({ session_id }) => session_id === 'session 3').length);
    expect((await get({ 'data.v:gte': '1', measure: 'events' })).total).toBe(
      sent.filter(({ data }) => typeof data['v'] === 'number' && data['v'] >= 1).length,
    );
  });

  it('compares with the range before, and with the same range a year before', async () => {
    const before = await get({
      from: '2026-03-29',
      to: '2026-03-29',
      compare: 'previous',
      measure: 'sessions',
    });
    // The 29th had 23 hours.
    const [from, to] = ['2026-03-28T00:00:00.000000Z', '2026-03-28T23:00:00.000000Z'];
    expect(before).toMatchObject({ from: to, compared: { from, to } });
    expect(before.compared.value).toBe(measured('sessions', between(from, to)));
    const year = await get({ compare: 'year', group_by: 'category' });
    expect(year.compared).toMatchObject({
      from: FROM.replace('2026', '2025').replace('Z', '.000000Z'),
      total: 0,
    });
    expect(year.compared.series.map(({ category, total }: any) => [category, total]).sort()).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  it('may estimate where the request asks for it, and says so', async () => {
    const exact = await get({ measure: 'unique:data.price' });
    const approximate = await get({ measure: 'unique:data.price', precision: 'approximate' });
    expect(exact.approximate).toBeUndefined();
    expect(approximate.approximate).toBe(true);
    expect(Math.abs(approximate.value / exact.value - 1)).toBeLessThan(0.05);
  });

  it.each([
    ['measure=median:data.a', 'measure', 'Must be events, sessions, or unique'],
    ['measure=avg', 'measure', '`avg` needs a path'],
    ['measure=events:data.a', 'measure', '`events` takes no path'],
    ['measure=avg:category', 'measure', 'category is a text'],
    ['measure=avg:other.a', 'measure', 'or a path such as'],
    ['measure=avg:data', 'measure', 'Must name a path inside `data`'],
    ['group_by=data.a,data.b,data.c', 'group_by', 'at most 2'],
    ['group_by=data.a,data.a', 'group_by', 'different'],
    ['group_by=data.a,', 'group_by', 'with commas between'],
    ['group_by=', 'group_by', 'the names of properties'],
    ['group_by=timestamp', 'group_by', 'or a path such as'],
    ['compare=month', 'compare', 'previous or year'],
    ['compare=year&from=0001-02-01&to=0001-03-01', 'compare', 'no such range'],
    ['precision=rough', 'precision', 'exact or approximate'],
    ['data.a:like=x', 'data.a:like', 'no operator'],
    ['data.a=x&data.a=y', 'data.a', 'given once'],
  ])('rejects ?%s', async (query, parameter, message) => {
    const { status, body } = await eye.get(`/statistics/events/?${query}`);
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: { [parameter]: [expect.stringContaining(message)] },
    });
  });
});
