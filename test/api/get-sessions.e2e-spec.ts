import fc from 'fast-check';
import { Admin, bearer } from '../../testing/keys.js';
import { Random } from '../../testing/random.js';
import { anEvent, type EyeResponse, type TheEye } from '../../testing/the-eye.js';
import { SESSION_AGGREGATES, SESSION_HASH } from '../../src/replication/session-projection.js';
import { Copy } from '../support/replication.js';
import {
  measuresOf,
  micros,
  type OracleSession,
  type Query,
  sessionsOf,
  type StoredRow,
  storedRows,
} from '../support/session-oracle.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

const random = new Random(2027);

const START = Date.parse('2026-03-01T00:00:00Z');
const APPLICATIONS = ['default', 'shop', 'stays'];
const CATEGORIES = ['page', 'form', 'ä "quoted"\\'];
const NAMES = ['view', 'submit', 'pay'];
const PATHS = ['/', '/shop', '/pay'];

/** One of few timestamps of a session, so that many events share one; some sessions are long. */
const timestampOf = (session: number): string => {
  const length = session % 7 === 0 ? 100_000 : 600;
  const seconds = session * 300 + random.below(20) * (length / 20);
  return new Date(START + seconds * 1000 + random.below(2))
    .toISOString()
    .replace('Z', `00${random.below(2)}Z`);
};

function randomEvent(): Record<string, unknown> {
  const session = random.below(60);
  const isRare = random.chance(0.1);
  return anEvent({
    session_id: session < 50 ? `visit ${session}/ä` : `single ${random.below(40)}`,
    category: random.of(CATEGORIES),
    name: random.of(NAMES),
    data: { ...(random.chance(0.9) && { path: random.of(PATHS) }), n: isRare ? 'rare' : random.below(100) },
    timestamp: timestampOf(session),
  });
}

/** Conditions on sessions, on their events and on time, none to all of them. */
const condition = (name: string, ...values: string[]): fc.Arbitrary<Query> =>
  fc.constantFrom(...values).map((value) => ({ [name]: value }));
const lastBound = fc
  .integer({ min: 0, max: 60 })
  .map((session) => new Date(START + session * 300_000).toISOString().replace('Z', '000Z'));
const CONDITIONS: fc.Arbitrary<Query>[] = [
  condition('application', ...APPLICATIONS, 'none'),
  condition('category', ...CATEGORIES),
  condition('name', ...NAMES),
  condition('name:in', 'view,pay', 'submit'),
  condition('data.path', ...PATHS),
  condition('data.n', 'rare'),
  condition('data.n:gte', '10', '90'),
  condition('data.path:exists', 'false'),
  condition('duration:gte', '0.001', '60', '601'),
  condition('duration:between', '0,300', '500,100000'),
  condition('duration', '0'),
  condition('events:gte', '2', '12'),
  condition('events', '1', '9'),
  condition('events:not', '10'),
  condition('entry.category', ...CATEGORIES),
  condition('entry.name:not', ...NAMES),
  condition('exit.name:in', 'view,pay', 'submit'),
  condition('exit.category:begins', 'p', 'ä "'),
  condition('session_id', 'visit 7/ä', 'visit 8/ä', 'nothing'),
  condition('session_id:begins', 'single', 'visit 1'),
  lastBound.map((timestamp_after) => ({ timestamp_after })),
  lastBound.map((timestamp_before) => ({ timestamp_before })),
];
const query: fc.Arbitrary<Query> = fc
  .uniqueArray(fc.nat(CONDITIONS.length - 1), { maxLength: 3 })
  .chain((chosen) => fc.tuple(...chosen.map((index) => CONDITIONS[index] as fc.Arbitrary<Query>)))
  .map((conditions) => Object.assign({}, ...conditions) as Query);

const pathOf = (route: string, parameters: Query): string =>
  `${route}?${new URLSearchParams(parameters).toString()}`;

describe('The sessions API', () => {
  let eye: TheEye;
  let copy: Copy;
  const readers = new Map<string, Record<string, string>>();
  const senders = new Map<string, Record<string, string>>();
  let rows: StoredRow[];

  const store = async (events: unknown, application = 'default'): Promise<void> => {
    const headers = { ...senders.get(application), prefer: 'wait=20' };
    const { status, body } = await eye.post('/events/', events, headers);
    expect({ status, body }).toMatchObject({ status: 201 });
  };

  const copied = async (): Promise<void> => {
    await copy.caughtUp();
    rows = await storedRows(eye);
  };

  beforeAll(async () => {
    eye = await startEyeWithClickHouse();
    copy = new Copy(eye);
    const admin = await Admin.of(eye);
    for (const application of ['shop', 'stays']) {
      senders.set(application, bearer((await admin.create(application, { scope: 'ingest' })).key));
      readers.set(application, bearer((await admin.create(application, { scope: 'read' })).key));
    }
    for (let batch = 0; batch < 9; batch++)
      await store(Array.from({ length: 60 }, randomEvent), APPLICATIONS[batch % 3]);
    await copied();
  });
  afterAll(() => eye.close());

  const get = async (path: string, headers?: Record<string, string>): Promise<any> => {
    const { status, body } = await eye.get(path, headers);
    expect({ path, status, body }).toEqual({ path, status: 200, body: expect.anything() });
    return body;
  };

  /** Follows `next` to the last page, then `previous` back to the first. */
  const followPages = async (path: string, headers?: Record<string, string>): Promise<any[]> => {
    const forward: any[] = [];
    let last = '';
    for (let next: string | null = path; next !== null;) {
      last = next;
      const page: any = await get(next, headers);
      forward.push(...page.results);
      next = page.next;
    }
    const back: any[] = [];
    for (let previous: string | null = last; previous !== null;) {
      const page: any = await get(previous, headers);
      back.unshift(...page.results);
      previous = page.previous;
    }
    expect(back).toEqual(forward);
    return forward;
  };

  const expected = (parameters: Query, visible?: string): OracleSession[] =>
    sessionsOf(rows, parameters, visible).map(({ session }) => session);

  const expectList = async (parameters: Query, pageSize: number, visible?: string): Promise<void> => {
    const headers = visible === undefined ? undefined : readers.get(visible);
    const path = pathOf('/sessions/', { ...parameters, page_size: String(pageSize) });
    const sessions = expected(parameters, visible);
    expect([path, visible, await followPages(path, headers)]).toEqual([path, visible, sessions]);
    const { count, count_is_estimate, as_of } = await get(path, headers);
    expect([count, count_is_estimate]).toEqual([sessions.length, undefined]);
    expect(Date.now() - Date.parse(as_of)).toBeLessThan(60_000);
  };

  const expectLists = async (numRuns: number): Promise<void> => {
    const viewer = fc.constantFrom(undefined, undefined, 'shop');
    await fc.assert(
      fc.asyncProperty(query, fc.constantFrom(30, 200), viewer, async (parameters, pageSize, visible) => {
        fc.pre(visible === undefined || parameters['application'] === undefined);
        await expectList(parameters, pageSize, visible);
      }),
      { numRuns, endOnFailure: true },
    );
  };

  it('lists the sessions that meet any conditions, forwards and backwards, whole or as a bound key sees them', async () => {
    await expectList({}, 25);
    await expectList({}, 25, 'shop');
    await expectLists(9);
  });

  it('reads sessions from the projection', async () => {
    const { events, entry } = SESSION_AGGREGATES;
    const explained = await copy.ask(
      `EXPLAIN SELECT session_id, ${events} AS number, ${entry} AS entry FROM events
       WHERE ${SESSION_HASH} IN (SELECT ${SESSION_HASH} FROM events WHERE timestamp > 5) AND application = 'shop'
       GROUP BY session_id`,
    );
    expect(explained).toContain('ReadFromMergeTree (sessions)');
  });

  it('forgets removed events', async () => {
    await eye.sql(`DELETE FROM events WHERE session_id = 'visit 3/ä' AND category = 'page'`);
    await eye.sql(`DELETE FROM events WHERE session_id = 'visit 4/ä'`);
    await eye.sql(`DELETE FROM events WHERE application = 'stays' AND name = 'pay'`);
    await copied();
    await expectList({}, 50);
    await expectLists(2);
    expect((await eye.get(`/sessions/${encodeURIComponent('visit 4/ä')}/`)).status).toBe(404);
  });

  it('neither repeats nor leaves out a session while events arrive', async () => {
    const before = expected({});
    const first = await get('/sessions/?page_size=25');
    const moved = before.at(-1)?.session_id ?? '';
    await store([
      anEvent({ session_id: moved, timestamp: '2026-04-01T00:00:00Z' }),
      anEvent({ session_id: 'new', timestamp: '2026-04-01T00:00:01Z' }),
    ]);
    await copied();
    const seen: string[] = first.results.map(({ session_id }: any) => session_id);
    for (let next = first.next; next !== null;) {
      const page = await get(next);
      seen.push(...page.results.map(({ session_id }: any) => session_id));
      next = page.next;
    }
    expect(seen.filter((id) => id !== moved)).toEqual(
      before.map(({ session_id }) => session_id).filter((id) => id !== moved),
    );
    const second = await get(first.next);
    const newer = await get(second.previous);
    expect(newer.results).toEqual(first.results);
    expect((await get(newer.previous)).results.map(({ session_id }: any) => session_id)).toEqual([
      'new',
      moved,
    ]);
  });

  it.each(['..', '.', '%2e%2e', '_', 'a/../b'])(
    'finds the session %s by a query that no client rewrites',
    async (id) => {
      await store(anEvent({ session_id: id, timestamp: '2026-05-03T00:00:00Z' }));
      const parameters = new URLSearchParams({ session_id: id }).toString();
      // fetch() resolves the path as the URL standard says.
      const { results, ...session } = await get(`/sessions/_/?${parameters}`);
      expect(results).toEqual([expect.objectContaining({ session_id: id })]);
      expect(session).toMatchObject({ session_id: id, events: 1, duration: 0 });
      await copied();
      const listed = await get(`/sessions/?${parameters}&application=default&timestamp_after=2026-05-02`);
      expect(listed).toMatchObject({ count: 1, next: null, results: [{ session_id: id, events: 1 }] });
      for (const filter of ['category=none', 'application=none', 'timestamp_before=2026-05-02'])
        expect((await get(`/sessions/?${parameters}&${filter}`)).results).toEqual([]);
    },
  );

  it('takes a path parameter from the query only where its segment says so', async () => {
    const { status, body } = await eye.get('/sessions/visit-1/?session_id=visit-2');
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: { session_id: ['Unknown parameter.'] },
    });
    expect((await eye.get('/sessions/_/?session_id=a&session_id=b')).status).toBe(400);
    expect((await eye.get('/sessions/_/?session_id=nothing')).status).toBe(404);
  });

  it('returns the events of a session in chronological order with the time elapsed between them', async () => {
    const id = 'visit 14/ä';
    const path = `/sessions/${encodeURIComponent(id)}/`;
    for (const visible of [undefined, 'shop']) {
      const headers = visible === undefined ? undefined : readers.get(visible);
      const [found] = sessionsOf(rows, { session_id: id }, visible);
      const events = await followPages(`${path}?page_size=4`, headers);
      expect(events.map((event) => event.id)).toEqual(found?.events.map((event) => event.id));
      const elapsed = found?.events.map(({ timestamp }, index, { [index - 1]: before }) =>
        before ? Number(micros(timestamp) - micros(before.timestamp)) / 1e6 : null,
      );
      expect(events.map((event) => event.elapsed)).toEqual(elapsed);
      const { results, previous, ...header } = await get(path, headers);
      expect(header).toEqual({ ...found?.session, next: header.next });
      expect([results.length, previous]).toEqual([Math.min(10, found?.events.length ?? 0), null]);
      expect(Object.keys(results[0])).toEqual([
        ...['id', 'application', 'session_id', 'category', 'name', 'data', 'timestamp', 'elapsed'],
      ]);
    }
  });

  it('sums up a session of many events by ClickHouse, and its events are paged as ever', async () => {
    await eye.sql(
      `INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
       SELECT overlay(overlay(overlay(md5(i::text) placing '8' from 13) placing '8' from 17) placing '01' from 1)::uuid, 'default', 'large', 'page', 'view', '{}',
         '2026-06-01T00:00:00Z'::timestamptz + i * interval '1 second', sha256(i::text::bytea)
       FROM generate_series(1, 10001) AS i`,
    );
    await copy.caughtUp();
    const { results, ...session } = await get('/sessions/large/?page_size=2');
    expect(session).toMatchObject({
      events: 10_001,
      first: '2026-06-01T00:00:01.000000Z',
      last: '2026-06-01T02:46:41.000000Z',
      duration: 10_000,
      categories: ['page'],
    });
    expect(results.map(({ elapsed }: any) => elapsed)).toEqual([null, 1]);
    await copied();
  });

  const expectErrors = ({ status, body }: EyeResponse, errors: Record<string, string>): void =>
    expect({ status, errors: body.errors }).toEqual({
      status: 400,
      errors: Object.fromEntries(
        Object.entries(errors).map(([field, message]) => [field, [expect.stringContaining(message)]]),
      ),
    });

  it.each([
    ['page=2', { page: 'Unknown parameter' }],
    ['sessionFilter=2', { sessionFilter: 'Unknown parameter' }],
    ['category=%00', { category: 'U+0000' }],
    ['timestamp_after=x', { timestamp_after: 'ISO 8601' }],
    ['duration=long', { duration: 'Must be a number.' }],
    ['duration:gte=1&duration:gte=2', { 'duration:gte': 'Must be given once.' }],
    ['duration:between=1', { 'duration:between': 'two values' }],
    ['events:begins=1', { 'events:begins': 'for texts' }],
    ['events:exists=true', { 'events:exists': 'Every session has this' }],
    ['events:in=1,x', { 'events:in': 'Must be a number.' }],
    ['entry.name:like=a', { 'entry.name:like': 'no operator `like`' }],
    ['entry.other=a', { 'entry.other': 'Unknown parameter' }],
    [
      'data.a:like=a&exit.name:exists=true',
      { 'data.a:like': 'no operator', 'exit.name:exists': 'Every session' },
    ],
  ])('rejects ?%s', async (parameters, errors) => {
    expectErrors(await eye.get(`/sessions/?${parameters}`), errors);
  });

  it('rejects cursors of another query and unknown sessions', async () => {
    const { next } = await get('/sessions/?page_size=1');
    for (const other of ['category=a', 'duration:gte=0', 'timestamp_after=2020-01-01'])
      expectErrors(await eye.get(`${next}&${other}`), { cursor: 'another query' });
    expectErrors(await eye.get(next.replace('/sessions/', '/events/')), { cursor: 'another query' });
    for (const path of ['/sessions/nothing/', '/sessions/%00/', `/sessions/${'x'.repeat(300)}`])
      expect([path, (await eye.get(path)).body.code]).toEqual([path, 'not_found']);
  });

  const close = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 6));
  const closeMeasures = (sessions: readonly OracleSession[]): Record<string, unknown> =>
    Object.fromEntries(Object.entries(measuresOf(sessions)).map(([name, value]) => [name, close(value)]));

  /** What a grouping distinguishes. */
  const groupOf = (
    grouping: string | undefined,
    { session, events }: ReturnType<typeof sessionsOf>[number],
  ): string => {
    const [entry] = events as [StoredRow];
    if (grouping === 'entry' || grouping === 'exit') return JSON.stringify({ [grouping]: session[grouping] });
    if (grouping === 'application') return JSON.stringify({ application: entry.application });
    if (grouping === 'data.path')
      return JSON.stringify({ properties: { 'data.path': entry.data['path'] ?? null } });
    if (grouping === 'name,data.n')
      return JSON.stringify({ name: entry.name, properties: { 'data.n': entry.data['n'] ?? null } });
    return '{}';
  };

  it('measures the sessions that begin in a range, by time and by group', async () => {
    const ranges = [
      ['2026-02-01T00:00:00.000000Z', '2026-07-01T00:00:00.000000Z'],
      ['2026-03-01T00:30:00.000000Z', '2026-03-01T02:00:00.000000Z'],
    ] as const;
    const grouping = fc.constantFrom(undefined, 'entry', 'exit', 'application', 'data.path', 'name,data.n');
    const limit = fc.constantFrom(2, 100);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...ranges),
        query,
        grouping,
        limit,
        fc.constantFrom(undefined, 'shop'),
        async ([from, to], given, group_by, size, visible) => {
          const ofSessions = Object.entries(given).filter(([name]) => !name.startsWith('timestamp_'));
          const conditions: Query = Object.fromEntries(ofSessions);
          fc.pre(visible === undefined || conditions['application'] === undefined);
          const parameters = {
            ...conditions,
            from,
            to,
            interval: 'day',
            limit: String(size),
            ...(group_by && { group_by }),
          };
          const body = await get(
            pathOf('/statistics/sessions/', parameters),
            visible ? readers.get(visible) : undefined,
          );
          const found = sessionsOf(rows, conditions, visible).filter(
            ({ session }) => session.first >= from && session.first < to,
          );
          expect([parameters, body.total]).toEqual([
            parameters,
            closeMeasures(found.map(({ session }) => session)),
          ]);
          const listed = new Set<string>();
          for (const { total, values, others, groups, ...group } of body.series) {
            const members = found
              .filter((one) => {
                const name = groupOf(group_by, one);
                return others === true ? !listed.has(name) : name === JSON.stringify(group);
              })
              .map(({ session }) => session);
            if (others === true)
              expect(groups).toBe(new Set(found.map((one) => groupOf(group_by, one))).size - size);
            else listed.add(JSON.stringify(group));
            expect([parameters, group, total]).toEqual([parameters, group, closeMeasures(members)]);
            for (const [index, start] of body.buckets.entries()) {
              const end = body.buckets[index + 1];
              const inBucket = members.filter(
                ({ first }) => first >= start && (end === undefined || first < end),
              );
              expect(values[index]).toEqual(closeMeasures(inBucket));
            }
          }
          if (group_by) {
            const names = new Set(found.map((one) => groupOf(group_by, one)));
            expect(listed.size).toBe(Math.min(names.size, size));
          }
        },
      ),
      { numRuns: 9, endOnFailure: true },
    );
  });

  it('compares the sessions of a range with those of the range before', async () => {
    const body = await get(
      '/statistics/sessions/?from=2026-03-02&to=2026-03-02&interval=day&compare=previous&group_by=entry',
    );
    expect(body).toMatchObject({
      compared: { from: '2026-03-01T00:00:00.000000Z', to: '2026-03-02T00:00:00.000000Z' },
    });
    const day = sessionsOf(rows, {}).filter(({ session }) => session.first.startsWith('2026-03-01'));
    expect(body.compared.total).toEqual(closeMeasures(day.map(({ session }) => session)));
    const nothing = await get('/statistics/sessions/?from=1999-01-01&to=1999-01-02&interval=day');
    expect(nothing.total).toEqual(measuresOf([]));
    expect(nothing.series).toEqual([{ total: measuresOf([]), values: [measuresOf([]), measuresOf([])] }]);
  });

  it.each([
    ['group_by=entry,exit', { group_by: 'Must be application' }],
    ['group_by=data.a,data.b,data.c', { group_by: 'at most 2' }],
    ['compare=month', { compare: 'previous or year' }],
    ['from=2026-02-02&to=2026-02-01', { from: 'before `to`' }],
    ['interval=minute&from=2020-01-01', { interval: 'more than 5,000 buckets' }],
    ['timestamp_after=2026-01-01', { timestamp_after: 'Unknown parameter' }],
  ])('rejects /statistics/sessions/?%s', async (parameters, errors) => {
    expectErrors(await eye.get(`/statistics/sessions/?${parameters}`), errors);
  });

  it('finds a page in the middle of a busy time by one look at the projection', async () => {
    const start = Date.parse('2025-06-01T00:00:00Z');
    const at = (seconds: number): string => new Date(start + seconds * 1000).toISOString();
    // Ten minutes each, one every 30 seconds: at any moment, twenty continue.
    const busy = Array.from({ length: 60 }, (_, session) =>
      Array.from({ length: 11 }, (__, event) =>
        anEvent({ session_id: `busy ${session}`, timestamp: at(session * 30 + event * 60) }),
      ),
    );
    await store(busy.flat());
    await copied();
    const looks = async (): Promise<number> => {
      const { body } = await eye.get('/metrics');
      const [, count] =
        /^the_eye_statement_seconds_count\{.*"ClickHouse sessions".*\} (\d+)$/m.exec(body) ?? [];
      return Number(count ?? 0);
    };
    const before = await looks();
    const parameters = { timestamp_before: at(1205), page_size: '10' };
    const { results, count } = await get(pathOf('/sessions/', parameters));
    expect((await looks()) - before).toBe(1);
    const sessions = expected(parameters);
    expect([results, count]).toEqual([sessions.slice(0, 10), sessions.length]);
    expect(results[0].session_id).toBe('busy 20');
  });
});
