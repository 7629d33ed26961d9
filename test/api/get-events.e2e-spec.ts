import { EventSearch } from '../../src/events/event-search.js';
import { EVERYTHING } from '../../src/platform/filters/filter.js';
import { EventsService } from '../../src/events/events.service.js';
import { EventsRepository } from '../../src/events/events.repository.js';
import { Random } from '../../testing/random.js';
import { anEvent, type Event, type Page, TheEye } from '../../testing/the-eye.js';
import { RecordingSql } from '../support/recording-sql.js';
import { Copy } from '../support/replication.js';
import { ANY_AGE, startEyeWithClickHouse } from '../support/start-eye.js';

type Sent = Omit<Event, 'id'>;

describe('GET /events', () => {
  let eye: TheEye;
  let copy: Copy;
  beforeAll(async () => {
    eye = await startEyeWithClickHouse(ANY_AGE);
    copy = new Copy(eye);
  });
  afterAll(() => eye.close());

  const list = async (query: Record<string, unknown> | string): Promise<Page> => {
    const path =
      typeof query === 'string'
        ? query
        : `/events/?${new URLSearchParams(query as Record<string, string>).toString()}`;
    const { status, body } = await eye.get(path);
    expect({ status, body }).toEqual({ status: 200, body: expect.anything() });
    return body;
  };

  /** The expected list, computed independently by filtering the sent events. */
  const expected = (sent: Sent[], matches: (event: Sent) => boolean): string[] =>
    sent
      .filter(matches)
      .map(({ timestamp, data }) => `${timestamp} ${JSON.stringify(data['n'])}`)
      .sort()
      .reverse();

  const listed = ({ results }: Page): string[] =>
    results.map(({ timestamp, data }) => `${timestamp} ${JSON.stringify(data['n'])}`);

  describe('with filters', () => {
    const sent = Array.from({ length: 60 }, (_, n) =>
      anEvent({
        session_id: `filtered-${n % 2}`,
        category: ['click', 'form interaction', 'page interaction'][n % 3],
        name: ['submit', 'pageview'][n % 4 === 0 ? 0 : 1],
        timestamp: `1999-12-31T23:59:59.${String(999_940 + n).padStart(6, '0')}Z`,
        data: { n },
      }),
    );
    beforeAll(async () => {
      await eye.store(sent);
      await copy.caughtUp();
    });
    const at = (n: number): string => sent[n]?.timestamp ?? '';

    it.each<[Record<string, string>, (event: Sent) => boolean]>([
      [{ session_id: 'filtered-0' }, (e) => e.session_id === 'filtered-0'],
      [{ category: 'click' }, (e) => e.category === 'click'],
      [{ category: 'form interaction' }, (e) => e.category === 'form interaction'],
      [{ name: 'submit' }, (e) => e.name === 'submit'],
      [{ category: 'click', name: 'submit' }, (e) => e.category === 'click' && e.name === 'submit'],
      [
        { session_id: 'filtered-1', category: 'click', name: 'pageview' },
        (e) => e.session_id === 'filtered-1' && e.category === 'click' && e.name === 'pageview',
      ],
      [{ timestamp_after: at(10) }, (e) => e.timestamp >= at(10)],
      [{ timestamp_before: at(10) }, (e) => e.timestamp <= at(10)],
      [{ timestamp_after: at(10), timestamp_before: at(10) }, (e) => e.timestamp === at(10)],
      [{ timestamp_after: at(11), timestamp_before: at(10) }, () => false],
      [
        { session_id: 'filtered-0', timestamp_after: at(20), timestamp_before: at(40) },
        (e) => e.session_id === 'filtered-0' && e.timestamp >= at(20) && e.timestamp <= at(40),
      ],
      [
        { category: 'click', name: 'pageview', timestamp_after: at(3) },
        (e) => e.category === 'click' && e.name === 'pageview' && e.timestamp >= at(3),
      ],
      [{ category: 'Click' }, () => false],
      [{ category: '' }, () => false],
    ])('returns the events that match %j, bounds inclusive to the microsecond', async (query, matches) => {
      const decade = { timestamp_after: '1990-01-01', timestamp_before: '1999-12-31' };
      const page = await list({ ...decade, ...query, page_size: 1000 });
      expect(listed(page)).toEqual(expected(sent, matches));
      expect(page.count).toBe(page.results.length);
      const upwards = await list({ ...decade, ...query, page_size: 1000, ordering: 'timestamp' });
      expect(upwards.results).toEqual([...page.results].reverse());
      expect((await list({ ...decade, ...query, page_size: 1000, ordering: '-timestamp' })).results).toEqual(
        page.results,
      );
    });

    it.each([
      ['1999-12-31T23:59:59.999999Z', '1999-12-31T23:59:59.999999Z', 1],
      ['2000-01-01T01:59:59.999999+02:00', '1999-12-31 18:59:59.999999-05:00', 1],
      ['1999-12-31T23:59:59.999990', '1999-12-31T23:59:59.999995', 6],
      ['1999-12-31', '1999-12-31', 60],
      ['1999-12-30', '1999-12-30', 0],
      ['2000-01-01', '2000-01-01', 0],
      ['1999-12-31T23:59', '2000-01-01T00:00', 60],
    ])('returns the events from %s to %s, in UTC unless an offset is given', async (after, before, count) => {
      expect(await list({ timestamp_after: after, timestamp_before: before })).toMatchObject({ count });
      // An unencoded plus sign is decoded as a space.
      expect(await list(`/events/?timestamp_after=${after}&timestamp_before=${before}`)).toMatchObject({
        count,
      });
    });
  });

  it('returns timestamps to the microsecond, and orders events before 1970 correctly', async () => {
    const session_id = 'old';
    const times = [
      '0001-01-01T00:00:00.000000Z',
      '1582-10-10T12:00:00.000001Z',
      '1969-12-31T23:59:59.999999Z',
      '1970-01-01T00:00:00.000000Z',
      '1970-01-01T00:00:00.000001Z',
      '2021-01-01T09:15:29.243860Z',
      '2021-01-01T09:15:29.243861Z',
    ];
    const { body } = await eye.store(times.map((timestamp) => anEvent({ session_id, timestamp })));
    for (const ordering of ['timestamp', '-timestamp']) {
      const ordered = ordering === 'timestamp' ? times : [...times].reverse();
      const pages = await walk(`/events/?session_id=old&ordering=${ordering}&page_size=2`, 'next');
      expect(pages.flatMap(({ results }) => results).map(({ timestamp }) => timestamp)).toEqual(ordered);
    }
    for (const [index, id] of body.ids.entries()) {
      expect((await eye.get(`/events/${id}/`)).body.timestamp).toBe(times[index]);
    }
  });

  /** Follows the `next` or `previous` links from a URL to the last page; calls `between` after each page. */
  const walk = async (
    from: string,
    direction: 'next' | 'previous',
    between: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Page[]> => {
    const pages: Page[] = [];
    for (let link: string | null = from; link !== null; link = pages.at(-1)?.[direction] ?? null) {
      pages.push(await list(link));
      await between();
      if (pages.length > 200) throw new Error('The list has no end.');
    }
    return pages;
  };

  describe.each(['-timestamp', 'timestamp'])('ordered by %s', (ordering) => {
    const session_id = `walked ${ordering}`;
    const query = `session_id=${encodeURIComponent(session_id)}&ordering=${ordering}`;
    // Only three timestamps, so that most page boundaries fall between events with equal timestamps.
    const sent = Array.from({ length: 47 }, (_, n) =>
      anEvent({ session_id, data: { n }, timestamp: `2021-01-01T00:00:0${n % 3}.000000Z` }),
    );
    let ids: Set<string>;
    beforeAll(async () => void (ids = new Set((await eye.store(sent)).body.ids)));

    /** Stores one event before, one among and one after the events of the test. */
    let arrivals = 0;
    const arrive = (): Promise<unknown> =>
      eye.store(
        ['2020-01-01T00:00:00Z', '2021-01-01T00:00:01Z', '2022-01-01T00:00:00Z'].map((timestamp) =>
          anEvent({ session_id, timestamp, data: { arrival: arrivals++ } }),
        ),
      );

    const inOrder = (events: Event[]): Event[] => {
      const sorted = [...events].sort((a, b) => (a.timestamp + a.id < b.timestamp + b.id ? -1 : 1));
      return ordering === 'timestamp' ? sorted : sorted.reverse();
    };

    it('pages forward and back through each event once and in order while new events arrive', async () => {
      const forth = await walk(`/events/?${query}&page_size=5`, 'next', arrive);
      const seen = forth.flatMap(({ results }) => results);
      expect(seen).toEqual(inOrder(seen));
      expect(seen.map(({ id }) => id).filter((id) => ids.has(id))).toHaveLength(ids.size);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);

      const back = await walk(forth.at(-1)?.previous ?? '', 'previous', arrive);
      const seenAgain = [...back].reverse().flatMap(({ results }) => results);
      expect(seenAgain).toEqual(inOrder(seenAgain));
      const last = new Set(forth.at(-1)?.results.map(({ id }) => id));
      const others = [...ids].filter((id) => !last.has(id)).sort();
      expect(
        seenAgain
          .map(({ id }) => id)
          .filter((id) => ids.has(id))
          .sort(),
      ).toEqual(others);
      expect(new Set(seenAgain.map(({ id }) => id)).size).toBe(seenAgain.length);
    });

    it('returns the same page again when `previous` is followed after `next`', async () => {
      const pages = await walk(`/events/?${query}&page_size=20`, 'next');
      expect(pages.length).toBeGreaterThan(2);
      expect(pages[0]?.previous).toBeNull();
      for (const [index, page] of pages.slice(1).entries()) {
        const before = await list(page.previous ?? '');
        expect(before.results).toEqual(pages[index]?.results);
        expect((await list(before.next ?? '')).results).toEqual(page.results);
      }
    });

    it('returns the same pages by number as by cursor', async () => {
      const pages = await walk(`/events/?${query}&page_size=20`, 'next');
      for (const [index, page] of pages.entries()) {
        const numbered = await list(`/events/?${query}&page_size=20&page=${index + 1}`);
        expect(numbered.results).toEqual(page.results);
        expect(numbered.count).toBe(page.count);
        expect(numbered.previous === null).toBe(index === 0);
        if (numbered.next) expect((await list(numbered.next)).results).toEqual(pages[index + 1]?.results);
        else expect(index).toBe(pages.length - 1);
        if (numbered.previous)
          expect((await list(numbered.previous)).results).toEqual(pages[index - 1]?.results);
      }
      const beyond = await list(`/events/?${query}&page_size=20&page=${pages.length + 1}`);
      expect(beyond).toMatchObject({ count: pages[0]?.count, next: null, results: [] });
    });
  });

  it('returns ten events a page by default', async () => {
    await eye.store(Array.from({ length: 12 }, (_, n) => anEvent({ session_id: 'ten', data: { n } })));
    expect((await list({ session_id: 'ten' })).results).toHaveLength(10);
    expect((await list({ session_id: 'ten', page_size: 12 })).next).toBeNull();
  });

  it('links to other pages by absolute URLs that repeat the filters', async () => {
    const asked = '/events/?category=page%20interaction&session_id=ten&page_size=5&page=2';
    const page = await list(asked);
    for (const link of [page.next, page.previous]) {
      const url = new URL(link ?? '');
      expect(url.origin).toBe(eye.url);
      expect(url.pathname).toBe('/events/');
      expect(Object.fromEntries(url.searchParams)).toEqual({
        category: 'page interaction',
        session_id: 'ten',
        page_size: '5',
        cursor: expect.stringMatching(/^[\w-]+$/),
      });
      expect((await fetch(url)).status).toBe(200);
    }
  });

  it('returns an empty page if no event matches', async () => {
    expect(await list({ session_id: 'nobody' })).toEqual({
      count: 0,
      next: null,
      previous: null,
      results: [],
    });
  });

  describe('filtered by application and category or name', () => {
    const random = new Random(7);
    const insert = (count: number): Promise<unknown> =>
      eye.sql(
        `INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
         SELECT (lpad(to_hex((extract(epoch FROM timestamp) * 1000)::bigint), 12, '0') || '8'
             || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid, application, 'of applications', category, name, '{}', timestamp, sha256(n::text::bytea)
         FROM jsonb_to_recordset($1) AS made (n int, application text, category text, name text, timestamp timestamptz)`,
        [JSON.stringify(Array.from({ length: count }, made))],
      );

    /** Seconds, hours and years apart, and at the boundaries of minutes and months; each application has one dominant category. */
    const starts = [
      '2017-02-28T23:59',
      '2018-06-30T23:29',
      '2018-07-01T00:00',
      '2019-12-31T23:59',
      '2020-01-01T00:00',
    ];
    let n = 0;
    const made = (): Record<string, unknown> => {
      const application = random.of([
        'often',
        'often',
        'often',
        'seldom',
        random.chance(0.1) ? 'once' : 'often',
      ]);
      const category = random.chance(0.95) === (application === 'often') ? 'mine' : 'theirs';
      const start = Date.parse(`${random.of(starts)}:00Z`);
      const later = random.of([
        0,
        59_999,
        60_000,
        random.between(0, 60_000),
        random.between(0, 86_400_000 * 90),
      ]);
      return {
        n: n++,
        application,
        category,
        name: random.of(['tall', 'small']),
        timestamp: new Date(start + Math.floor(later)).toISOString(),
      };
    };

    const matching = (filter: Record<string, string>): Promise<Event[]> =>
      eye.sql<Event>(
        `SELECT id FROM events WHERE ${Object.keys(filter)
          .map((column, index) => `${column} = $${index + 1}`)
          .join(' AND ')} ORDER BY timestamp DESC, id DESC`,
        Object.values(filter),
      );

    const filters: Record<string, string>[] = [
      { application: 'often', category: 'mine' },
      { application: 'seldom', category: 'theirs', name: 'small' },
      { application: 'once', name: 'tall' },
      { application: 'never', category: 'mine' },
    ];

    afterAll(() => eye.sql(`DELETE FROM events WHERE session_id = 'of applications'`));

    it.each(['stored', 'stored in addition', 'removed in part'])(
      'returns each event once and in order right after events were %s',
      async (what) => {
        if (what === 'removed in part')
          await eye.sql(`DELETE FROM events WHERE session_id = 'of applications' AND (name = 'tall' OR timestamp > '2019-01-01')
                       AND get_byte(data_sha256, 0) % 3 > 0`);
        else await insert(400);
        await copy.caughtUp();
        for (const filter of filters) {
          const ids = (await matching(filter)).map(({ id }) => id);
          for (const ordering of ['-timestamp', 'timestamp']) {
            const query = new URLSearchParams({ ...filter, ordering, page_size: '60' }).toString();
            const forth = await walk(`/events/?${query}`, 'next');
            const seen = forth.flatMap(({ results }) => results.map(({ id }) => id));
            expect(seen).toEqual(ordering === 'timestamp' ? ids.toReversed() : ids);
            const last = forth.at(-1)?.previous;
            const back = last ? (await walk(last, 'previous')).toReversed() : [];
            const before = back.flatMap(({ results }) => results.map(({ id }) => id));
            expect(before).toEqual(seen.slice(0, before.length));
            expect(before.length + (forth.at(-1)?.results.length ?? 0)).toBe(seen.length);
            const third = await list(`/events/?${query}&page=3`);
            expect(third.results.map(({ id }) => id)).toEqual(seen.slice(120, 180));
          }
        }
      },
    );

    it('returns the events of a time range, bounds inclusive', async () => {
      for (let trial = 0; trial < 30; trial++) {
        const filter = random.of(filters);
        const ends = [made(), made()].map(({ timestamp }) => timestamp as string).sort();
        const [timestamp_after = '', timestamp_before = ''] = ends;
        const ordering = random.of(['timestamp', '-timestamp']);
        const { results } = await list({
          ...filter,
          timestamp_after,
          timestamp_before,
          ordering,
          page_size: 20,
        });
        const all = await eye.sql<Event>(
          `SELECT id FROM events WHERE application = $1 AND category = coalesce($2, category) AND name = coalesce($3, name)
           AND timestamp >= $4 AND timestamp <= $5 ORDER BY timestamp ${ordering === 'timestamp' ? 'ASC' : 'DESC'},
           id ${ordering === 'timestamp' ? 'ASC' : 'DESC'} LIMIT 20`,
          [filter['application'], filter['category'], filter['name'], timestamp_after, timestamp_before],
        );
        expect(results.map(({ id }) => id)).toEqual(all.map(({ id }) => id));
      }
    });
  });

  it('counts the events of a session up to 10,000, and estimates beyond', async () => {
    const events = Array.from({ length: 10_500 }, (_, n) =>
      anEvent({ session_id: 'endless', category: n % 2 ? 'odd' : 'even', data: { n } }),
    );
    for (let sent = 0; sent < events.length; sent += 3500) await eye.store(events.slice(sent, sent + 3500));
    const odd = await list({ session_id: 'endless', category: 'odd' });
    expect([odd.count, odd.count_is_estimate]).toEqual([5250, undefined]);
    const whole = await list({ session_id: 'endless' });
    expect(whole.count).toBeGreaterThan(10_000);
    expect(whole.count_is_estimate).toBe(true);
  });

  describe('with 200,000 events', () => {
    const FREQUENT = 'page interaction of many';

    /** Sessions of 20 events within 2023, of two applications; one rare category occurs only at the beginning. */
    beforeAll(async () => {
      await eye.sql(`
        INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
        SELECT
          (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '8' || substr(digest, 1, 3)
            || '8' || substr(digest, 4, 15))::uuid,
          CASE WHEN n % 2 = 1 OR n % 5000 = 0 THEN 'odd' ELSE 'default' END, 'many-' || n / 20, CASE WHEN n < 50 THEN 'rare' ELSE '${FREQUENT}' END,
          CASE WHEN n % 10 = 0 THEN 'tenth' ELSE 'pageview of many' END, jsonb_build_object('n', n), at, sha256(digest::bytea)
        FROM generate_series(0, 199999) AS n,
          LATERAL (SELECT timestamptz '2023-01-01Z' + n * interval '150 seconds' AS at, md5(n::text) AS digest) AS made`);
      await eye.sql('ANALYZE events');
      await copy.caughtUp();
    });

    it.each<[Record<string, string>, number]>([
      [{ category: 'rare' }, 50],
      [{ category: FREQUENT, timestamp_before: '2023-01-05' }, 5 * 576 - 50],
      [{ name: 'tenth', category: FREQUENT, timestamp_before: '2023-01-18' }, 1032],
      [{ timestamp_after: '2023-03-01', timestamp_before: '2023-03-17' }, 17 * 576],
      [{ category: FREQUENT }, 199_950],
      [{ name: 'tenth', timestamp_after: '2023-01-01' }, 20_000],
      [{ category: FREQUENT, name: 'tenth' }, 19_995],
      [{ category: FREQUENT, timestamp_after: '2023-07-01', timestamp_before: '2023-07-31' }, 31 * 576],
    ])('counts the events that match %j exactly, or estimates many of a category', async (query, count) => {
      const page = await list({ ...query, page_size: 1 });
      const isEstimate = query['name'] === undefined && count > 10_000;
      expect(page.count_is_estimate).toBe(isEstimate ? true : undefined);
      if (isEstimate) {
        expect(page.count / count).toBeCloseTo(1, 0);
        return;
      }
      const [row] = await eye.sql<{ count: number }>(
        `SELECT count(*)::int FROM events WHERE category = coalesce($1, category) AND name = coalesce($2, name)
         AND timestamp >= $3::date AND timestamp < $4::date + 1`,
        [
          query['category'],
          query['name'],
          query['timestamp_after'] ?? '2023-01-01',
          query['timestamp_before'] ?? '2024-12-31',
        ],
      );
      expect(page.count).toBe(row?.count);
    });

    it('continues by cursor after the deepest numbered page', async () => {
      const deepest = await list({ name: 'tenth', page_size: 1000, page: 11 });
      expect(deepest.results).toHaveLength(1000);
      const next = await list(deepest.next ?? '');
      expect((next.results[0]?.timestamp ?? '') < (deepest.results.at(-1)?.timestamp ?? '')).toBe(true);
      expect((await eye.get('/events/?name=tenth&page_size=1000&page=12')).status).toBe(400);
    });

    describe('in its query plans', () => {
      let sql: RecordingSql;
      let events: EventsService;
      beforeAll(() => {
        sql = new RecordingSql(eye.databaseUrl);
        const unused = undefined as never;
        const repository = new EventsRepository(unused, sql, sql);
        const search = new EventSearch(repository, unused, unused);
        events = new EventsService(unused, repository, search, unused);
      });
      afterAll(() => sql.onApplicationShutdown());

      /** The executed plans of the statements that select events. */
      const plansOf = async (
        dto: Record<string, unknown>,
        statement = /^SELECT \* FROM \(/,
      ): Promise<any[]> => {
        sql.statements.length = 0;
        await events.list({ ...dto, filter: EVERYTHING }, 'postgresql');
        const asked = sql.statements.filter(({ sql }) => statement.test(sql));
        return Promise.all(
          asked.map(async ({ sql, parameters }) => {
            const [row] = await eye.sql<any>(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${sql}`, parameters);
            return row['QUERY PLAN'][0].Plan;
          }),
        );
      };

      const nodesOf = (plan: any): any[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
      const isOfEvents = (node: any): boolean =>
        node['Relation Name'] === 'events' || /^events_/.test(node['Index Name'] as string);
      /** Blocks of index and table: the descent to a page plus one block for each row. */
      const PAGE_BLOCKS = 60;

      const many = 'many-5000';
      const range = {
        timestamp_after: '2023-04-01T00:00:00.000000Z',
        timestamp_before: '2023-08-31T23:59:59.999999Z',
      };
      const filters: Record<string, string>[] = [
        {},
        { session_id: many },
        { category: FREQUENT },
        { category: 'rare' },
        { category: 'never' },
        { application: 'odd' },
        { session_id: many, category: FREQUENT },
        { session_id: many, name: 'tenth', category: FREQUENT },
        range,
        { category: FREQUENT, ...range },
        { category: 'rare', ...range },
        { application: 'odd', ...range },
        { session_id: many, ...range },
      ];

      const page = (dto: Record<string, unknown>): ReturnType<EventsService['list']> =>
        events.list({ ...dto, filter: EVERYTHING }, 'postgresql');

      it.each(filters)('reads at most one page of index entries for %j', async (filter) => {
        for (const ordering of ['-timestamp', 'timestamp'] as const) {
          const first = await page({ ...filter, ordering });
          const places: Record<string, unknown>[] = [{}];
          if (first.next) places.push({ cursor: first.next });
          if (first.next) {
            const second = await page({ ...filter, ordering, cursor: first.next });
            if (second.previous) places.push({ cursor: second.previous });
          }
          for (const place of places) {
            const plans = await plansOf({ ...filter, ordering, ...place });
            expect(plans).toHaveLength(1);
            const most = 20;
            const nodes = plans.flatMap(nodesOf);
            const scans = nodes.filter(isOfEvents);
            expect(
              scans.map(({ ['Node Type']: type }) => type).filter((type) => !/^Index/.test(type)),
            ).toEqual([]);
            // A session sorts the few events of one timestamp by id; no plan sorts the whole result.
            const sorts = nodes.map((node) => node['Node Type']).filter((type) => /Sort/.test(type));
            expect(sorts).toEqual(filter['session_id'] ? sorts.map(() => 'Incremental Sort') : []);
            for (const scan of scans) {
              expect(scan['Rows Removed by Filter'] ?? 0).toBeLessThanOrEqual(most);
              if (!filter['session_id']) expect(scan['Actual Rows']).toBeLessThanOrEqual(most);
              // Index entries that a scan skips before its first match show only in the block counts.
              const blocks = scan['Shared Hit Blocks'] + scan['Shared Read Blocks'];
              expect(blocks).toBeLessThanOrEqual(PAGE_BLOCKS);
            }
          }
        }
      });

      it.each([{ category: FREQUENT }, { application: 'odd' }, {}])(
        'counts at most 10,001 entries of an index for %j',
        async (filter) => {
          const [plan] = await plansOf(filter, /^SELECT count/);
          const [scan] = nodesOf(plan).filter(isOfEvents);
          expect(scan['Node Type']).toMatch(/^Index/);
          expect(scan['Actual Rows']).toBe(10_001);
        },
      );
    });
  });

  it('ends a page that 4 MiB fill after its first 128 events, and continues by cursor', async () => {
    await eye.sql(
      `INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
       SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '8' || substr(digest, 1, 3) || '8' ||
           substr(digest, 4, 15))::uuid, 'default', 'large', 'large', 'large',
         jsonb_build_object('n', n, 'text', repeat('x', 32768)), at, sha256(digest::bytea)
       FROM generate_series(1, 300) AS n,
         LATERAL (SELECT timestamptz '2018-01-01Z' + interval '1 second' * n AS at, md5(n::text) AS digest) AS made`,
    );
    await copy.caughtUp();
    // By PostgreSQL and by ClickHouse.
    for (const query of ['category=large', 'name=large']) {
      const pages = await walk(`/events/?${query}&page_size=1000&ordering=timestamp`, 'next');
      const numbers = pages.flatMap(({ results }) => results.map(({ data }) => data['n']));
      expect(numbers).toEqual(Array.from({ length: 300 }, (_, n) => n + 1));
      expect(pages[0]?.results).toHaveLength(128);
    }
  });
});
