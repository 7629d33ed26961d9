import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import type { Filter } from '../../src/platform/filters/filter.js';
import { parseCondition } from '../../src/platform/filters/query-filter.js';
import { matches } from '../../testing/filter-oracle.js';
import { Admin, bearer } from '../../testing/keys.js';
import { Random } from '../../testing/random.js';
import { anEvent, type Event, type Page, type TheEye } from '../../testing/the-eye.js';
import { HeldClickHouse } from '../support/held-clickhouse.js';
import { Copy } from '../support/replication.js';
import { ANY_AGE, startEyeWithClickHouse } from '../support/start-eye.js';

const random = new Random(5);

/** Few of them, so that many events have the same one, and the order of their ids decides. */
const TIMES = [
  '0001-01-01T00:00:00.000000Z',
  '1969-12-31T23:59:59.999999Z',
  '2026-02-01T00:00:00.000000Z',
  '2026-02-01T00:00:00.000001Z',
  '2026-02-03T12:00:00.123456Z',
  '2026-02-28T00:00:00.000000Z',
  '9999-12-31T23:59:59.999999Z',
];

const VALUES: unknown[] = [
  ...[
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
    '=1+1',
    '"quoted"\\',
    '2026-01-01',
  ],
  ...[true, false, null, [1, 'a'], { c: 1 }, {}, [], 'a,b\r\nc'],
];

const PATHS: Record<string, readonly string[]> = {
  'data.v': ['v'],
  'data.a.b': ['a', 'b'],
  'data.a\\.b': ['a.b'],
  'data.': [''],
  'data.ke"y`\\\\': ['ke"y`\\'],
  'data.price': ['price'],
  'data.nowhere': ['nowhere'],
};

/** Conditions as a caller writes them. */
const CONDITIONS: readonly (readonly [string, string])[] = [
  ['application', 'default'],
  ['category', 'click'],
  ['category:in', 'click,page'],
  ['category:not', 'click'],
  ['name', 'open'],
  ['name', 'nothing has this name'],
  ['name:begins', 'o'],
  ['session_id', 's1'],
  ['session_id', 'nobody'],
  ['session_id:in', 's1,s2'],
  ['data.v', '1'],
  ['data.v:eq', '1'],
  ['data.v:not', 'true'],
  ['data.v:in', '1,"1",null,true'],
  ['data.v:exists', 'true'],
  ['data.v:contains', 'a'],
  ['data.a.b:gte', '1'],
  ['data.a.b:between', '-3,1.5'],
  ['data.a\\.b:exists', 'true'],
  ['data.:exists', 'false'],
  ['data.ke"y`\\\\:gt', '"1"'],
  ['data.price:gte', '10'],
  ['data.price:lt', '50.5'],
  ['data.nowhere:exists', 'true'],
];

function randomData(): Record<string, unknown> {
  const data: Record<string, unknown> = { price: Math.floor(random.between(0, 10_000)) / 100 };
  if (random.chance(0.9)) data['v'] = random.of(VALUES);
  if (random.chance(0.5)) data['a'] = { b: random.of(VALUES) };
  if (random.chance(0.3)) data['a.b'] = random.of(VALUES);
  if (random.chance(0.3)) data[''] = random.of(VALUES);
  if (random.chance(0.3)) data['ke"y`\\'] = random.of(VALUES);
  return data;
}

const randomEvent = (): unknown =>
  anEvent({
    session_id: random.of(['s1', 's2', 's3']),
    category: random.of(['click', 'page', 'other']),
    name: random.of(['open', 'close', 'ö, "x"']),
    data: randomData(),
    timestamp: random.of(TIMES),
  });

/** What a path leads to; null if nothing is there. */
function valueAt(data: unknown, path: readonly string[]): unknown {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return null;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

type Stored = Event & { application: string };

interface Query {
  /** The parameters that select events. */
  readonly selection: Record<string, string>;
  readonly filter: Filter;
  readonly newestFirst: boolean;
}

/** The filters with which ClickHouse answers, with and without a range of time. */
function randomQuery(): Query {
  const chosen = random.shuffled(CONDITIONS).slice(0, 1 + Math.floor(random.between(0, 2)));
  const [after = '', before = ''] = [random.of(TIMES), random.of(TIMES)].sort();
  const newestFirst = random.chance(0.5);
  return {
    selection: {
      ...Object.fromEntries(chosen),
      ...(random.chance(0.3) && { timestamp_after: after, timestamp_before: before }),
      ordering: newestFirst ? '-timestamp' : 'timestamp',
    },
    filter: { kind: 'all', filters: chosen.map(([name, value]) => parseCondition(name, value)) },
    newestFirst,
  };
}

describe('With conditions on any property,', () => {
  let eye: TheEye;
  let copy: Copy;
  let stored: Stored[];

  /** What PostgreSQL has, by its own order of UUIDs. */
  const readStored = async (): Promise<void> => {
    await copy.caughtUp();
    stored = await eye.sql<Stored>(
      `SELECT id, application, session_id, category, name, data,
         to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp
       FROM events ORDER BY events.timestamp, id`,
    );
  };

  beforeAll(async () => {
    eye = await startEyeWithClickHouse(ANY_AGE);
    copy = new Copy(eye);
    const admin = await Admin.of(eye);
    const { key } = await admin.create('shop', { scope: 'ingest' });
    for (const headers of [{}, bearer(key)]) {
      const events = Array.from({ length: 90 }, randomEvent);
      const { status } = await eye.post('/events/', events, { ...headers, prefer: 'wait=20' });
      expect(status).toBe(201);
    }
    await readStored();
  });
  afterAll(() => eye.close());

  const list = async (path: string, headers = {}): Promise<Page & { as_of?: string }> => {
    const { status, body } = await eye.get(path, headers);
    expect({ path, status, body }).toEqual({ path, status: 200, body: expect.anything() });
    return body;
  };

  const addressOf = (query: Record<string, unknown>, route = '/events/'): string =>
    `${route}?${new URLSearchParams(query as Record<string, string>).toString()}`;

  const expected = ({ selection, filter, newestFirst }: Query): Stored[] => {
    const { timestamp_after: after = '', timestamp_before: before = '9' } = selection;
    const found = stored.filter(
      (event) => event.timestamp >= after && event.timestamp <= before && matches(filter, event),
    );
    return newestFirst ? found.reverse() : found;
  };

  const walk = async (from: string, direction: 'next' | 'previous'): Promise<Page[]> => {
    const pages: Page[] = [];
    for (let link: string | null = from; link !== null; link = pages.at(-1)?.[direction] ?? null) {
      pages.push(await list(link));
      if (pages.length > 200) throw new Error('The list has no end.');
    }
    return pages;
  };

  it.each(['stored', 'removed in part', 'stored again in part'])(
    'GET /events returns each matching event once and in order, forwards, backwards and by number, when events were %s',
    async (what) => {
      if (what === 'removed in part') {
        await eye.sql('DELETE FROM events WHERE get_byte(data_sha256, 0) % 3 = 0');
      } else if (what === 'stored again in part') {
        const gone = stored.filter(({ id }) => /[0-7]$/.test(id));
        await eye.sql('DELETE FROM events WHERE id = ANY ($1::uuid[])', [gone.map(({ id }) => id)]);
        await eye.store(
          gone.map(({ session_id, category, name, data, timestamp }) => ({
            session_id,
            category,
            name,
            data,
            timestamp,
          })),
        );
      }
      await readStored();
      for (let round = 0; round < 8; round++) {
        const query = randomQuery();
        const events = expected(query);
        const size = random.of([13, 40, 1000]);
        const address = addressOf({ ...query.selection, page_size: size });
        const forth = await walk(address, 'next');
        expect({ query, found: forth.flatMap(({ results }) => results) }).toEqual({ query, found: events });
        for (const { count, count_is_estimate } of forth)
          expect({ query, count, count_is_estimate }).toEqual({ query, count: events.length });
        const last = forth.at(-1)?.previous;
        const back = last ? (await walk(last, 'previous')).toReversed() : [];
        const before = back.flatMap(({ results }) => results);
        expect(before).toEqual(events.slice(0, before.length));
        expect(before.length + (forth.at(-1)?.results.length ?? 0)).toBe(events.length);
        const third = await list(`${address}&page=3`);
        expect(third.results).toEqual(events.slice(2 * size, 3 * size));
      }
    },
  );

  it('GET /events returns payloads with the same text as PostgreSQL, and says as of when', async () => {
    const response = await fetch(`${eye.url}/events/?data.price:gte=0&page_size=1000`);
    const text = await response.text();
    const rows = await eye.sql<{ data: string }>('SELECT data::text AS data FROM events');
    for (const { data } of rows) expect(text.includes(`"data":${data},`)).toBe(true);
    expect((JSON.parse(text) as { as_of: string }).as_of).toMatch(/^\d{4}-\d\d-\d\dT[\d:]{8}\.\d{6}Z$/);
    // PostgreSQL has an answer of its own to what it has an index for.
    for (const query of [
      {},
      { category: 'click' },
      { application: 'shop' },
      { session_id: 's1', name: 'open' },
    ])
      expect((await list(addressOf(query))).as_of).toBeUndefined();
  });

  it('GET /events accepts a cursor with the conditions in another order, and rejects it with another one', async () => {
    const { next } = await list('/events/?data.price:gte=1&data.v:exists=true&page_size=2');
    const cursor = new URL(next ?? '').searchParams.get('cursor') ?? '';
    const page = await list(`/events/?data.v:exists=true&page_size=2&data.price:gte=1&cursor=${cursor}`);
    expect(page.results).toEqual((await list(next ?? '')).results);
    const other = await eye.get(`/events/?data.v:exists=true&page_size=2&data.price:gte=2&cursor=${cursor}`);
    expect(other.body.errors).toEqual({ cursor: [expect.stringContaining('belongs to another query')] });
  });

  it('GET /events names each wrong condition', async () => {
    const { status, body } = await eye.get('/events/?data.a:foo=1&name:gte=&data.b:in=&data=1&page_size=x');
    expect(status).toBe(400);
    expect(Object.keys(body.errors).sort()).toEqual(['data', 'data.a:foo', 'data.b:in', 'page_size']);
    expect(body.errors['data.a:foo'][0]).toContain('There is no operator `foo`');
  });

  it('GET /events returns each event once while others arrive', async () => {
    const before = stored.filter(({ category }) => category === 'click').map(({ id }) => id);
    const seen: string[] = [];
    let link: string | null = '/events/?category:eq=click&page_size=20';
    for (let n = 0; link !== null; n++) {
      const page: Page = await list(link);
      seen.push(...page.results.map(({ id }) => id));
      link = page.next;
      await eye.store(TIMES.map((timestamp) => anEvent({ category: 'click', data: { n }, timestamp })));
    }
    expect(new Set(seen).size).toBe(seen.length);
    const known = new Set(before);
    expect(seen.filter((id) => known.has(id))).toEqual(before.toReversed());
    await eye.sql(`DELETE FROM events WHERE data ? 'n'`);
    await readStored();
  });

  it('GET /events omits no event of its last page while others with the same timestamp arrive', async () => {
    const inTime = (): Omit<Event, 'id'> => anEvent({ category: 'last', timestamp: TIMES[2] });
    const ids = (page: Page): string[] => page.results.map(({ id }) => id);
    await eye.store([inTime(), inTime(), inTime()]);
    await copy.caughtUp();
    const known = ids(await list('/events/?category:eq=last'));
    // They come when the timestamps of the page are known, and its events are not.
    const clickhouse = await HeldClickHouse.start(copy, /data_text, timestamp FROM events/, async () => {
      await eye.store(Array.from({ length: 30 }, inTime));
      await copy.caughtUp();
    });
    const peer = await eye.startPeer({ ROLE: 'api', CLICKHOUSE_URL: clickhouse.clickhouseUrl });
    try {
      const seen: string[] = [];
      let link: string | null = '/events/?category:eq=last&page_size=5';
      while (link !== null) {
        const { body } = await peer.get(link.replace(/^https?:[/]+[^/]+/, ''));
        seen.push(...ids(body as Page));
        link = (body as Page).next;
      }
      expect(seen).toHaveLength(33);
      expect(seen).toEqual(expect.arrayContaining(known));
    } finally {
      await peer.end();
      clickhouse.close();
    }
    await eye.sql(`DELETE FROM events WHERE category = 'last'`);
    await readStored();
  });

  it('lists and exports show a key of one application nothing of another', async () => {
    const admin = await Admin.of(eye);
    const { key } = await admin.create('shop', { scope: 'read' });
    const own = stored.filter(({ application }) => application === 'shop').map(({ id }) => id);
    expect(own.length).toBeGreaterThan(10);
    for (const query of [
      'data.price:gte=0',
      'application:not=shop',
      'application:in=shop,default',
      'name:begins=',
    ]) {
      const { results } = await list(`/events/?${query}&page_size=1000`, bearer(key));
      const visible = query === 'application:not=shop' ? [] : own;
      expect(results.map(({ id }) => id).sort()).toEqual([...visible].sort());
      const path = `${eye.url}/events/export?${query}&columns=id`;
      const file = await (await fetch(path, { headers: bearer(key) })).text();
      expect(file.split('\n').length - 1).toBe(visible.length);
    }
    const other = await eye.get('/events/?application=default&data.price:gte=0', bearer(key));
    expect(other.status).toBe(403);
  });

  describe('GET /events/export', () => {
    const columns = ['id', 'timestamp', ...Object.keys(PATHS), 'category'];

    const download = async (query: Record<string, string>): Promise<Buffer> => {
      const response = await fetch(`${eye.url}${addressOf(query, '/events/export')}`);
      expect(response.status).toBe(200);
      return Buffer.from(await response.arrayBuffer());
    };

    const cellsOf = (event: Event): Record<string, unknown> =>
      Object.fromEntries(
        columns.map((name) => {
          const path = PATHS[name];
          return [name, path ? valueAt(event.data, path) : event[name as keyof Event]];
        }),
      );

    const asText = (value: unknown): string | null =>
      typeof value === 'string' ? value : value === null ? null : JSON.stringify(value);

    it('returns the matching events with the chosen columns in their order, in each format', async () => {
      for (let round = 0; round < 8; round++) {
        const query = randomQuery();
        const rows = expected(query).map(cellsOf);
        const selection = { ...query.selection, columns: columns.join(',') };

        const lines = (await download(selection)).toString().split('\n').slice(0, -1);
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(rows);
        for (const line of lines) expect(Object.keys(JSON.parse(line) as object)).toEqual(columns);

        const cells: string[][] = parse(await download({ ...selection, format: 'csv' }), {
          bom: true,
          record_delimiter: '\r\n',
        });
        expect(cells[0]).toEqual(columns);
        const written = rows.map((row) =>
          Object.values(row).map((value) => {
            const text = asText(value) ?? '';
            return typeof value === 'string' && /^[=+\-@'\s]/.test(text) ? `'${text}` : text;
          }),
        );
        expect(cells.slice(1)).toEqual(written);

        const file = new Uint8Array(await download({ ...selection, format: 'parquet' })).buffer;
        expect(
          parquetMetadata(file)
            .schema.slice(1)
            .map(({ name }) => name),
        ).toEqual(columns);
        const read = await parquetReadObjects({ file, parsers: { timestampFromMicroseconds: String } });
        expect(read.map(({ timestamp, ...row }) => ({ ...row, micros: timestamp }))).toEqual(
          rows.map(({ timestamp, ...row }) => ({
            ...Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asText(value)])),
            micros: microsecondsOf(timestamp as string),
          })),
        );
      }
    });

    it('returns without chosen columns what PostgreSQL exports', async () => {
      for (const format of ['ndjson', 'csv']) {
        const [found, all] = await Promise.all(
          [{ 'data.price:gte': '0' }, {}].map((query) =>
            download({ format, ...query } as Record<string, string>),
          ),
        );
        expect(found?.toString()).toBe(all?.toString());
      }
    });

    it('chooses columns of what PostgreSQL finds, too', async () => {
      const file = (await download({ category: 'click', columns: 'data.price,id' })).toString();
      const clicks = stored.filter(({ category }) => category === 'click').reverse();
      expect(file).toBe(
        clicks.map(({ id, data }) => `{"data.price":${data['price'] as number},"id":"${id}"}\n`).join(''),
      );
    });

    it('includes what was stored a moment before', async () => {
      for (let n = 0; n < 3; n++) {
        await eye.store(anEvent({ name: 'just now', data: { n } }));
        const file = (await download({ name: 'just now', columns: 'data.n' })).toString();
        expect(file.split('\n').length - 1).toBe(n + 1);
      }
    });

    it.each([
      ['', 'Must be the names of properties with commas between them.'],
      ['id,', 'Must be the names of properties with commas between them.'],
      ['id,dat.a', /^Column 2, `dat\.a`: Must be id, application, /],
      ['id,data.a,data.b:gte', /^Column 3, `data\.b:gte`: .*operator has no place/],
      ['id,data.a,id', 'Column 3, `id`: Must be given once.'],
      [Array.from({ length: 101 }, (_, n) => `data.k${n}`).join(','), 'Must be at most 100 columns.'],
    ])('names the place of a wrong column: %s', async (wrong, message) => {
      const { status, body } = await eye.get(addressOf({ columns: wrong }, '/events/export'));
      expect({ status, errors: body.errors }).toEqual({
        status: 400,
        errors: { columns: [typeof message === 'string' ? message : expect.stringMatching(message)] },
      });
    });
  });
});

const microsecondsOf = (timestamp: string): string =>
  String(BigInt(Date.parse(`${timestamp.slice(0, 23)}Z`)) * 1000n + BigInt(timestamp.slice(23, 26)));
