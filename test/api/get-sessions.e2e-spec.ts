import pg from 'pg';
import { runCommand } from '../../testing/commands.js';
import { Load } from '../support/load.js';
import { numbers } from '../support/numbers.js';
import { OwnPostgres } from '../support/servers.js';
import {
  anEvent,
  type EyeResponse,
  type Event,
  eventually,
  superuserUrl,
  TheEye,
} from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const random = numbers(2027);
const below = (limit: number): number => Math.floor(random() * limit);

const SESSIONS = 40;
const START = Date.parse('2026-03-01T00:00:00Z');

/** One of few timestamps, so that many events share one; in random order. */
const randomTimestamp = (): string => new Date(START + below(60) * 30_000 + (below(2) && 1)).toISOString();

const randomEvent = (): Omit<Event, 'id'> =>
  anEvent({
    session_id: `visit ${below(SESSIONS)}/ä`,
    category: `category ${below(random() < 0.05 ? 9 : 3)}`,
    name: `name ${below(3)}`,
    timestamp: randomTimestamp(),
    data: { n: below(1000) },
  });

describe('The sessions API', () => {
  let postgres: OwnPostgres;
  let eye: TheEye;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEye({ DATABASE_URL: postgres.url });
    const send = (batch: unknown): Promise<void> =>
      eventually(async () => expect((await eye.post('/events/', batch)).status).toBe(202), 60_000);
    for (let index = 0; index < 30; index++) {
      const batch = Array.from({ length: 40 }, randomEvent);
      await send(batch);
      if (index % 4 === 0) await send(batch.toReversed());
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
      `INSERT INTO events SELECT overlay(id::text placing '8aaa' from 15)::uuid, 'shop', session_id, category, name, data, timestamp, data_sha256
       FROM events WHERE name = 'name 2' AND session_id < 'visit 2'`,
    );
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  /** Resolves once all committed deltas are applied. */
  const deltasApplied = (): Promise<void> =>
    eventually(
      async () => expect(await eye.sql('SELECT 1 FROM session_changes LIMIT 1')).toEqual([]),
      20_000,
    );

  /** The sessions computed from the events table, newest first. */
  const expected = async (query: Record<string, string> = {}): Promise<any[]> => {
    const rows = await eye.sql(
      `SELECT session_id, to_char(min(timestamp) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS first,
         to_char(max(timestamp) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS last, count(*)::int AS events,
         array_agg(DISTINCT application) AS applications, array_agg(DISTINCT category) AS categories
       FROM events GROUP BY session_id
       HAVING bool_or(($1::text IS NULL OR application = $1) AND ($2::text IS NULL OR category = $2))
         AND max(timestamp) >= coalesce($3::timestamptz, '-infinity') AND max(timestamp) <= coalesce($4::timestamptz, 'infinity')
       ORDER BY max(timestamp) DESC, (array_agg(id ORDER BY timestamp DESC, id DESC))[1] DESC`,
      ['application', 'category', 'timestamp_after', 'timestamp_before'].map((name) => query[name] ?? null),
    );
    return rows;
  };

  const get = async (path: string): Promise<any> => {
    const { status, body } = await eye.get(path);
    expect({ path, status, body }).toEqual({ path, status: 200, body: expect.anything() });
    return body;
  };

  /** Follows `next` to the last page, then `previous` back to the first. */
  const followPages = async (path: string): Promise<any[]> => {
    const forward: any[] = [];
    let last = '';
    for (let next: string | null = path; next !== null;) {
      last = next;
      const page: any = await get(next);
      forward.push(...page.results);
      next = page.next;
    }
    const back: any[] = [];
    for (let previous: string | null = last; previous !== null;) {
      const page: any = await get(previous);
      back.unshift(...page.results);
      previous = page.previous;
    }
    expect(back).toEqual(forward);
    return forward;
  };

  const QUERIES: Record<string, string>[] = [
    {},
    { category: 'category 1' },
    { category: 'category 7' },
    { application: 'shop' },
    { application: 'shop', category: 'category 2' },
    { application: 'shop', category: 'category 6' },
    { category: 'nothing' },
    { timestamp_after: '2026-03-01T00:28:00Z', timestamp_before: '2026-03-01T00:29:00Z' },
    { category: 'category 0', timestamp_before: '2026-03-01T00:29:00Z' },
  ];

  const expectLists = async (): Promise<void> => {
    for (const query of QUERIES) {
      const path = `/sessions/?${new URLSearchParams({ ...query, page_size: '7' }).toString()}`;
      const sessions = await expected(query);
      expect([query, await followPages(path)]).toEqual([query, sessions]);
      const { count, count_is_estimate } = await get(path);
      expect([count, count_is_estimate]).toEqual([sessions.length, undefined]);
    }
  };

  it('lists sessions that agree with their events after crashes and retries, before and after deltas are applied', async () => {
    await expectLists();
    await deltasApplied();
    await expectLists();
    expect((await expected({ category: 'category 7' })).length).toBeGreaterThan(0);
    expect((await expected({ application: 'shop', category: 'category 2' })).length).toBeGreaterThan(0);
  });

  it('applies deltas in a few passes over their table, even if PostgreSQL estimates the table to be empty', async () => {
    const deltaCount = 3000;
    const client = new pg.Client({ connectionString: superuserUrl(postgres.url) });
    await client.connect();
    try {
      await client.query('BEGIN');
      await client.query(
        `INSERT INTO session_changes
         SELECT 'visitor ' || i, 'default', 'category', now(), now(), gen_random_uuid(), 1 FROM generate_series(1, $1::int) AS i`,
        [deltaCount],
      );
      // The statistics that VACUUM leaves if all deltas are applied but their pages still exist.
      await client.query(
        `UPDATE pg_class SET reltuples = 0, relpages = 50 WHERE oid = 'session_changes'::regclass`,
      );
      const { rows: applied } = await client.query('SELECT fold_sessions(20000) AS folded');
      expect(applied[0].folded).toBeGreaterThanOrEqual(deltaCount);
      const { rows: reads } = await client.query(
        `SELECT seq_tup_read::int AS rows FROM pg_stat_xact_user_tables WHERE relname = 'session_changes'`,
      );
      expect(reads[0].rows).toBeGreaterThan(0);
      expect(reads[0].rows).toBeLessThan(10 * deltaCount);
    } finally {
      await client.query('ROLLBACK');
      await client.end();
    }
  });

  it('lists exact sessions while deltas are pending, even if a delta moves a session within the list', async () => {
    await deltasApplied();
    // Holding the advisory lock of the rollup worker prevents every process from applying deltas.
    const lockHolder = new pg.Client({ connectionString: postgres.url });
    await lockHolder.connect();
    await lockHolder.query('SELECT pg_advisory_lock($1)', [0x45594553]);
    try {
      for (let round = 0; round < 3; round++) {
        await eye.store(Array.from({ length: 15 }, randomEvent));
        await expectLists();
      }
      await eye.sql(`DELETE FROM events WHERE session_id = 'visit 3/ä' AND category = 'category 1'`);
      await eye.sql(`DELETE FROM events WHERE session_id = 'visit 4/ä'`);
      await expectLists();
      expect((await eye.get(`/sessions/${encodeURIComponent('visit 4/ä')}/`)).status).toBe(404);
    } finally {
      await lockHolder.end();
    }
    await deltasApplied();
    await expectLists();
    await eye.store(anEvent({ session_id: 'visit 4/ä', timestamp: '2026-03-02T00:00:00Z' }));
    await expectLists();
  });

  it.each(['..', '.', '%2e%2e', '_', 'a/../b'])(
    'finds the session %s by a query that no client rewrites',
    async (id) => {
      await eye.store(anEvent({ session_id: id, timestamp: '2026-03-03T00:00:00Z' }));
      const query = new URLSearchParams({ session_id: id }).toString();
      // fetch() resolves the path as the URL standard says.
      const { results, ...session } = await get(`/sessions/_/?${query}`);
      expect(results).toEqual([expect.objectContaining({ session_id: id })]);
      expect(session).toMatchObject({ session_id: id, events: 1 });
      const listed = await get(`/sessions/?${query}`);
      expect(listed).toMatchObject({ count: 1, next: null, results: [{ session_id: id, events: 1 }] });
      for (const filter of ['category=none', 'application=none', 'timestamp_before=2026-03-02'])
        expect((await get(`/sessions/?${query}&${filter}`)).results).toEqual([]);
      expect((await get(`/sessions/?${query}&application=default&timestamp_after=2026-03-02`)).count).toBe(1);
      await eye.sql('DELETE FROM events WHERE session_id = $1', [id]);
    },
  );

  it('takes a path parameter from the query only where its segment says so', async () => {
    const { status, body } = await eye.get('/sessions/visit-1/?session_id=visit-2');
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: { session_id: ['Unknown parameter.'] },
    });
    expect((await eye.get('/sessions/_/?session_id=a&session_id=b')).status).toBe(400);
    expect((await eye.get('/sessions/_/')).status).toBe(404);
  });

  it('returns the events of a session in chronological order with the time elapsed between them', async () => {
    const path = `/sessions/${encodeURIComponent('visit 5/ä')}/`;
    const rows = await eye.sql<any>(
      `SELECT id, round(extract(epoch FROM timestamp - lag(timestamp) OVER (ORDER BY timestamp, id)), 6)::float8 AS elapsed
       FROM events WHERE session_id = 'visit 5/ä' ORDER BY timestamp, id`,
    );
    expect(rows.some(({ elapsed }) => elapsed === 0)).toBe(true);
    const events = await followPages(`${path}?page_size=4`);
    expect(events.map(({ id, elapsed }) => ({ id, elapsed }))).toEqual(rows);
    const { results, next, previous, ...header } = await get(path);
    expect(header).toEqual((await expected()).find(({ session_id }) => session_id === 'visit 5/ä'));
    expect([results.length, previous, typeof next]).toEqual([10, null, 'string']);
    expect(Object.keys(results[0])).toEqual([
      ...['id', 'application', 'session_id', 'category', 'name', 'data', 'timestamp', 'elapsed'],
    ]);
  });

  it('detects wrong sessions by `statistics verify`, and repairs them by `statistics rebuild` while events arrive', async () => {
    const command = (action: string) => runCommand({ DATABASE_URL: postgres.url }, 'statistics', action);
    await deltasApplied();
    expect(await command('verify')).toMatchObject({ code: 0, stderr: '' });
    await eye.sql(`UPDATE sessions SET events = events + 1 WHERE session_id = 'visit 6/ä'`);
    await eye.sql(`DELETE FROM session_lists WHERE session_id = 'visit 7/ä' AND category = ''`);
    const wrong = await command('verify');
    expect(wrong).toMatchObject({ code: 1, stdout: '' });
    expect(wrong.stderr).toMatch(/"visit 6\/ä".*\n.*"visit 7\/ä"/);
    const load = Load.on(eye, { senders: 3 });
    await load.waitForResponses(202, 10);
    expect(await command('rebuild')).toMatchObject({ code: 0, stderr: '' });
    await load.waitForResponses(202, 10);
    await load.expectStored();
    expect(await command('verify')).toMatchObject({ code: 0, stderr: '' });
    await expectLists();
  });

  const expectErrors = ({ status, body }: EyeResponse, errors: Record<string, string>): void =>
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: Object.fromEntries(
        Object.entries(errors).map(([field, message]) => [field, [expect.stringContaining(message)]]),
      ),
    });

  it('rejects invalid parameters, cursors of another query and unknown sessions', async () => {
    expectErrors(await eye.get('/sessions/?name=a'), { name: 'Unknown parameter' });
    expectErrors(await eye.get('/sessions/?page=2'), { page: 'Unknown parameter' });
    expectErrors(await eye.get('/sessions/?category=%00'), { category: 'U+0000' });
    expectErrors(await eye.get('/sessions/?timestamp_after=x'), { timestamp_after: 'ISO 8601' });
    const { next } = await get('/sessions/?page_size=1');
    expectErrors(await eye.get(`${next}&category=a`), { cursor: 'another query' });
    expectErrors(await eye.get(next.replace('/sessions/', '/events/')), { cursor: 'another query' });
    for (const path of ['/sessions/nothing/', '/sessions/%00/', `/sessions/${'x'.repeat(300)}`])
      expect([path, (await eye.get(path)).body.code]).toEqual([path, 'not_found']);
  });
});
