import pg from 'pg';
import { Random } from '../../testing/random.js';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { Copy } from '../support/replication.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

const random = new Random(2026);

/** Africa/Monrovia was 44 minutes and 30 seconds behind UTC until 1972. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Asia/Kolkata',
  'America/New_York',
  'Asia/Kathmandu',
  'Africa/Monrovia',
];

/** Daylight-saving changes, the ends of a month and of a year, a full hour, and a time before 1970. */
const TIMES = [
  '2025-10-26T00:30:00',
  '2026-03-29T00:30:00',
  '2026-03-08T06:30:00',
  '2025-12-31T23:30:00',
  '2026-02-28T22:00:00',
  '2026-04-01T12:00:00',
  '1969-12-31T23:50:00',
];
const SPREADS = [0.001, 1, 60, 3600, 86_400 * 3];

function randomTimestamp(): string {
  const milliseconds =
    Date.parse(`${random.of(TIMES)}Z`) + Math.floor(random.next() * random.of(SPREADS) * 1000);
  return `${new Date(milliseconds).toISOString().slice(0, -1)}${String(random.below(1000)).padStart(3, '0')}Z`;
}

const randomType = (): Record<string, string> => ({
  category: `category ${random.below(4)}`,
  name: `name ${random.below(random.next() < 0.1 ? 30 : 3)}`,
});

describe('The statistics API', () => {
  let postgres: OwnPostgres;
  let eye: TheEye;
  let copy: Copy;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEyeWithClickHouse({ DATABASE_URL: postgres.url });
    copy = new Copy(eye);
    const batches = Array.from({ length: 30 }, () =>
      Array.from({ length: 60 }, () => anEvent({ ...randomType(), timestamp: randomTimestamp() })),
    );
    const send = async (batch: unknown): Promise<void> =>
      void (await eventually(
        async () => expect((await eye.post('/events/', batch)).status).toBe(202),
        60_000,
      ));
    for (const [index, batch] of batches.entries()) {
      await send(batch);
      if (index % 3 === 0) await send(batch);
      if (index === 10) {
        await postgres.kill();
        await send(batch);
        await postgres.start();
      }
      if (index === 20) {
        await eye.end('SIGKILL');
        await eye.start();
      }
    }
    await eye.drained();
    await eye.sql(
      `INSERT INTO events
       SELECT (substr(id::text, 1, 19) || substr(digest, 1, 4) || '-' || substr(digest, 5, 12))::uuid, 'shop', session_id,
         category, name, data, timestamp, data_sha256
       FROM events, LATERAL md5(id::text) AS digest WHERE name < 'name 2'`,
    );
    await copy.caughtUp();
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  const get = async (path: string, query: Record<string, string>): Promise<any> => {
    const { status, body } = await eye.get(`${path}?${new URLSearchParams(query).toString()}`);
    expect({ query, status, body }).toEqual({ query, status: 200, body: expect.anything() });
    return body;
  };

  const randomQuery = (): Record<string, string> => {
    const [from = '', to = ''] = [randomTimestamp(), randomTimestamp()].sort();
    if (from === to) return randomQuery();
    return {
      from,
      to,
      ...(random.next() < 0.2 && { application: random.of(['default', 'shop', 'nobody']) }),
      ...(random.next() < 0.3 && { category: `category ${random.below(4)}` }),
      ...(random.next() < 0.3 && { name: `name ${random.below(3)}` }),
    };
  };

  const COLUMNS: Record<string, string[]> = {
    application: ['application'],
    category: ['category'],
    name: ['name'],
    type: ['category', 'name'],
  };

  /** Counts by group and bucket, computed by PostgreSQL from the events table. */
  const expectedCounts = (
    query: Record<string, string>,
  ): Promise<{ key: string; bucket: string; count: number }[]> =>
    eye.sql(
      `SELECT concat_ws('/', ${['NULL', ...(COLUMNS[query['group_by'] ?? ''] ?? [])].join(', ')}) AS key,
         to_char(date_trunc($6, timestamp, $7) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS bucket,
         count(*)::int AS count
       FROM events
       WHERE timestamp >= $1 AND timestamp < $2 AND ($3::text IS NULL OR application = $3)
         AND ($4::text IS NULL OR category = $4) AND ($5::text IS NULL OR name = $5)
       GROUP BY 1, 2`,
      [
        ...['from', 'to', 'application', 'category', 'name'].map((name) => query[name] ?? null),
        query['interval'] ?? 'day',
        query['timezone'] ?? 'UTC',
      ],
    );

  const keyOf = (group: Record<string, string>): string =>
    ['application', 'category', 'name'].flatMap((column) => group[column] ?? []).join('/');

  it('counts events exactly by group and time bucket for random queries', async () => {
    let nonEmpty = 0;
    for (let round = 0; round < 60; round++) {
      const query: Record<string, string> = {
        ...randomQuery(),
        interval: random.of(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']),
        timezone: random.of(ZONES),
        limit: random.of(['3', '100']),
        ...(random.next() < 0.7 && { group_by: random.of(Object.keys(COLUMNS)) }),
      };
      const { status, body } = await eye.get(`/statistics/events/?${new URLSearchParams(query).toString()}`);
      if (status === 400) {
        expect([
          { interval: [expect.stringContaining('5,000 buckets')] },
          { limit: [expect.stringContaining('20,000 counts')] },
        ]).toContainEqual(body.errors);
        continue;
      }
      const listed = new Set(body.series.filter(({ others }: any) => !others).map(keyOf));
      const expected = new Map<string, number>();
      for (const { key, bucket, count } of await expectedCounts(query)) {
        const slot = `${listed.has(key) ? key : 'others'} ${bucket}`;
        expected.set(slot, (expected.get(slot) ?? 0) + count);
      }
      const actual = new Map<string, number>();
      for (const series of body.series)
        for (const [index, count] of series.counts.entries())
          if (count !== 0)
            actual.set(`${series.others ? 'others' : keyOf(series)} ${body.buckets[index]}`, count);
      expect([query, [...actual].sort()]).toEqual([query, [...expected].sort()]);
      const sum = [...expected.values()].reduce((total, count) => total + count, 0);
      const totals = body.series.map(({ total }: any) => total);
      expect(totals.reduce((total: number, count: number) => total + count, 0)).toBe(sum);
      expect(body).toMatchObject({ from: query['from'], to: query['to'], total: sum });
      expect(body.group_by).toBe(query['group_by'] ?? null);
      expect(Math.abs(Date.now() - Date.parse(body.as_of as string))).toBeLessThan(60_000);
      if (sum > 0) nonEmpty++;
    }
    expect(nonEmpty).toBeGreaterThan(20);
  });

  it('returns the largest applications, categories, names and types', async () => {
    for (let round = 0; round < 8; round++) {
      const query = { ...randomQuery(), limit: '4' };
      const body = await get('/statistics/top/', query);
      const lists = { application: 'applications', category: 'categories', name: 'names', type: 'types' };
      for (const [group_by, list] of Object.entries(lists)) {
        const sums = new Map<string, number>();
        for (const { key, count } of await expectedCounts({ ...query, group_by }))
          sums.set(key, (sums.get(key) ?? 0) + count);
        const largest = [...sums.values()].sort((a, b) => b - a);
        expect(body[list].map(({ count }: any) => count)).toEqual(largest.slice(0, 4));
        for (const entry of body[list]) expect(entry.count).toBe(sums.get(keyOf(entry)));
        expect(body.total).toBe(largest.reduce((total, count) => total + count, 0));
      }
    }
  });

  it('agrees with the count of GET /events, bounds inclusive', async () => {
    for (let round = 0; round < 8; round++) {
      const { from = '', to = '', ...filter } = randomQuery();
      const { count, count_is_estimate } = await get('/events/', {
        ...filter,
        timestamp_after: from,
        timestamp_before: to,
        page_size: '1',
      });
      const after = to.replace(/(\d{6})Z$/, (_, micros) => `${String(Number(micros) + 1).padStart(6, '0')}Z`);
      if (after.endsWith('1000000Z')) continue;
      const rows = await expectedCounts({ ...filter, from, to: after });
      expect({ count, count_is_estimate }).toEqual({
        count: rows.reduce((total, row) => total + row.count, 0),
        count_is_estimate: undefined,
      });
    }
  });

  it('stores events of one type while another transaction inserts the same type', async () => {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    const event = anEvent({ category: 'the same', name: 'type', timestamp: '2026-05-05T05:05:05Z' });
    const [stored = {}] = await eye.sql(`SELECT id FROM events WHERE application = 'default' LIMIT 1`);
    try {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO events SELECT id, application, 'another', 'the same', 'type', data, $1, data_sha256 FROM events WHERE id = $2 AND application = 'default'`,
        [event.timestamp, stored['id']],
      );
      await eye.store(event);
      const total = async (): Promise<number> => {
        await copy.caughtUp();
        const range = { from: '2026-05-05', to: '2026-05-05', category: 'the same' };
        return (await get('/statistics/top/', range)).total as number;
      };
      expect(await total()).toBe(1);
      await client.query('COMMIT');
      expect(await total()).toBe(2);
    } finally {
      await client.end();
    }
  });

  it('excludes events that were deleted', async () => {
    const range = { from: '2026-04-01', to: '2026-04-01' };
    const before = await get('/statistics/top/', range);
    expect(before.total).toBeGreaterThan(0);
    await eye.sql(
      `DELETE FROM events WHERE timestamp >= '2026-04-01' AND timestamp < '2026-04-02' AND name = 'name 1'`,
    );
    await copy.caughtUp();
    expect((await get('/statistics/top/', { ...range, name: 'name 1' })).total).toBe(0);
    expect((await get('/statistics/top/', range)).names).not.toContainEqual(
      expect.objectContaining({ name: 'name 1' }),
    );
  });

  it('counts from zero after the events table was truncated', async () => {
    await eye.sql('TRUNCATE events');
    await copy.caughtUp();
    const always = { from: '0001-01-01', to: '9999-12-30' };
    expect((await get('/statistics/top/', always)).total).toBe(0);
    await eye.store(anEvent());
    await copy.caughtUp();
    expect((await get('/statistics/top/', always)).total).toBe(1);
  });

  it('never goes back with `as_of`, whatever waits to be copied after a time without events', async () => {
    await copy.caughtUp();
    const asOf = async (): Promise<string> =>
      (await get('/statistics/top/', { from: '2026-04-01', to: '2026-04-01' })).as_of as string;
    const stop = `UPDATE replication_state SET claimed_by = gen_random_uuid(), claimed_until = 'infinity'`;
    try {
      await eye.sql(`${stop}, as_of = as_of - interval '1 hour'`);
      const idle = await asOf();
      await eye.store(anEvent());
      const behind = await asOf();
      expect(behind >= idle).toBe(true);
      const [oldest = {}] = await eye.sql(
        `SELECT to_char(min(at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at FROM replication_log`,
      );
      expect(behind < String(oldest['at'])).toBe(true);
      // As if it had been committed a minute late.
      await eye.sql(`UPDATE replication_log SET at = at - interval '1 minute'`);
      expect(await asOf()).toBe(behind);
      const { body } = await eye.get('/health/ready');
      expect(body.checks.replication.lag_seconds).toBeLessThan(600);
    } finally {
      await eye.sql(`UPDATE replication_state SET claimed_until = '-infinity'`);
    }
    const before = new Date().toISOString();
    await copy.caughtUp();
    expect((await asOf()) >= before).toBe(true);
  });

  it('interprets dates in the given time zone and includes both days', async () => {
    const query = { from: '2026-03-29', to: '2026-03-29', interval: 'day', timezone: 'europe/berlin' };
    expect(await get('/statistics/events', query)).toMatchObject({
      from: '2026-03-28T23:00:00.000000Z',
      to: '2026-03-29T22:00:00.000000Z',
      timezone: 'Europe/Berlin',
      group_by: null,
      buckets: ['2026-03-28T23:00:00.000000Z'],
    });
  });

  it('covers the last 24 hours by default', async () => {
    const { from, to, buckets, interval } = await get('/statistics/events/', {});
    expect(Date.parse(to) - Date.parse(from)).toBe(86_400_000);
    expect(Date.now() - Date.parse(to)).toBeLessThan(60_000);
    expect([interval, buckets.length]).toEqual(['hour', 25]);
  });

  it.each([
    ['from=x', 'from', 'date-time'],
    ['from=2026-01-02&to=2026-01-01', 'from', 'before `to`'],
    ['from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'from', 'before `to`'],
    ['to=0001-01-01T00:00:00Z', 'from', '0001 to 9999'],
    ['to=9999-12-31', 'to', '0001 to 9999'],
    ['from=2026-02-30', 'from', 'does not exist'],
    ['from=2026-01-01&from=2026-01-02', 'from', 'once'],
    ['timezone=Berlin', 'timezone', 'Europe/Berlin'],
    ['timezone=', 'timezone', 'Europe/Berlin'],
    ['interval=decade', 'interval', 'minute, hour, day, week, month, quarter or year'],
    ['week_start=friday', 'week_start', 'monday or sunday'],
    ['interval=minute&from=2026-01-01&to=2026-01-31', 'interval', '5,000 buckets'],
    ['interval=minute&from=0001-01-01&to=2026-01-31', 'interval', '5,000 buckets'],
    [
      'interval=hour&from=2026-01-01&to=2026-01-21&group_by=name&limit=100',
      'limit',
      '20,000 counts of 504 buckets',
    ],
    ['group_by=timestamp', 'group_by', 'or a path such as'],
    ['limit=0', 'limit', 'at least 1'],
    ['limit=101', 'limit', 'at most 100'],
    ['limit=1.5', 'limit', 'whole number'],
    ['name=%00', 'name', 'U+0000'],
    ['page=1', 'page', 'Unknown parameter'],
  ])('rejects ?%s', async (query, parameter, message) => {
    const { status, body } = await eye.get(`/statistics/events/?${query}`);
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: { [parameter]: [expect.stringContaining(message)] },
    });
  });
});
