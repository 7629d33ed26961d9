import { parse } from 'csv-parse/sync';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { get, type IncomingMessage } from 'node:http';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import pg from 'pg';
import { Admin, bearer, type NewKey } from '../../testing/keys.js';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, type Event, eventually, type Page, TheEye } from '../../testing/the-eye.js';
import { Copy } from '../support/replication.js';
import { ANY_AGE, startEyeWithClickHouse } from '../support/start-eye.js';

const LIMIT = 2;

/** Milliseconds after which a stalled reader is disconnected. */
const STALL_TIMEOUT_MS = 4000;

/** About 40 MB, more than the buffers between server and client hold; `data` compresses well in the table. */
const BIG = `
  INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '8' || substr(digest, 1, 3) || '8' ||
      substr(digest, 4, 15))::uuid, 'default', 'big-' || n, 'big', 'pageview', jsonb_build_object('n', n, 'text', repeat('x', 60000)), at,
    sha256(digest::bytea)
  FROM generate_series(1, 700) AS n,
    LATERAL (SELECT timestamptz '2019-01-01Z' + interval '1 second' * n AS at, md5(n::text) AS digest) AS made`;

/** Texts that a spreadsheet may evaluate or a CSV parser may misread. */
const UNUSUAL_TEXTS = [
  '=1+1',
  '+1',
  '-1',
  '@SUM(A1)',
  '＝1',
  '\t=1',
  '\r=1',
  '\n=1',
  ' =1',
  "'",
  "'=1",
  "''",
  'a,b;c',
  'a"b',
  '"',
  'a\nb',
  'a\rb',
  'a\r\nb',
  'é漢字𝄞\u202e\ufeff',
  '\ufeff=1',
  '007',
  'a=1',
];

const UNUSUAL_DATA = `{"":1,"__proto__":{"a":-1.5e-7},"big":1e21,"whole":9007199254740992,"tiny":5e-324,"text":"\\u0007 \\"é漢𝄞\\u2028","deep":[[{"b":[null,true]}]],"10":"a","9":"b"}`;

describe('GET /events/export', () => {
  let postgres: OwnPostgres;
  let eye: TheEye;
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEyeWithClickHouse({
      ...ANY_AGE,
      DATABASE_URL: postgres.url,
      EXPORTS_LIMIT: String(LIMIT),
      REQUEST_TIMEOUT: String(STALL_TIMEOUT_MS),
    });
    await eye.sql(BIG);
    await new Copy(eye).caughtUp();
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  const open = (query: Record<string, string>, init: RequestInit = {}): Promise<Response> =>
    fetch(`${eye.url}/events/export?${new URLSearchParams(query).toString()}`, init);

  /** Opens an export and retries while earlier exports still occupy the slots. */
  const openExport = (
    query: Record<string, string> = { category: 'big' },
    timeoutMs?: number,
  ): Promise<Response> =>
    eventually(async () => {
      const response = await open(query);
      expect(response.status).toBe(200);
      return response;
    }, timeoutMs);

  const read = async (query: Record<string, string>): Promise<Buffer> => {
    const response = await open(query);
    expect(response.status).toBe(200);
    return Buffer.from(await response.arrayBuffer());
  };

  /** All events of GET /events, page by page. */
  const listed = async (query: Record<string, string>): Promise<Event[]> => {
    const events: Event[] = [];
    let path: string | null = `/events/?${new URLSearchParams({ ...query, page_size: '1000' }).toString()}`;
    while (path !== null) {
      const page: Page = (await eye.get(path)).body;
      events.push(...page.results);
      path = page.next;
    }
    return events;
  };

  const csvRows = (file: Buffer): Record<string, string>[] =>
    parse(file, { bom: true, columns: true, record_delimiter: '\r\n' });

  const withoutPrefix = (cell: string): string => cell.replace(/^'/, '');

  const parquetRows = (file: Buffer): Promise<Record<string, unknown>[]> =>
    parquetReadObjects({ file: arrayBuffer(file), parsers: EXACT_PARSERS });

  /** The event as a client would send it. */
  const line = ({ session_id, category, name, data, timestamp }: Event): string =>
    JSON.stringify({ session_id, category, name, data, timestamp });

  /** The queries of events that PostgreSQL currently executes for exports, without those of the replicator. */
  const activeQueries = async (): Promise<unknown[]> =>
    eye.sql(
      `SELECT query FROM pg_stat_activity
       WHERE application_name = 'the-eye' AND state = 'active' AND query LIKE '%FROM events%' AND query NOT LIKE '%replication_%'`,
    );

  describe('with query parameters', () => {
    const sent = Array.from({ length: 2500 }, (_, n) =>
      anEvent({
        session_id: `session-${n % 7}`,
        category: ['click', 'form interaction'][n % 2],
        name: ['submit', 'pageview', 'cta'][n % 3],
        timestamp: `2022-05-0${1 + (n % 5)}T00:00:00.${String(n % 500).padStart(6, '0')}Z`,
        data: n % 100 === 0 ? { n, long: 'é'.repeat(20_000) } : { n },
      }),
    );
    beforeAll(async () => {
      await eye.store(sent.slice(0, 1250));
      await eye.store(sent.slice(1250));
      await new Copy(eye).caughtUp();
    });
    const here = { timestamp_after: '2022-05-01', timestamp_before: '2022-05-31' };

    it.each<Record<string, string>>([
      {},
      { ordering: 'timestamp' },
      { ordering: '-timestamp' },
      { session_id: 'session-3' },
      { category: 'click' },
      { name: 'cta', ordering: 'timestamp' },
      { application: 'default' },
      { application: 'nobody' },
      { category: 'click', name: 'submit', application: 'default' },
      { session_id: 'session-1', category: 'click', name: 'cta' },
      { timestamp_after: '2022-05-02T00:00:00.000007Z' },
      { timestamp_after: '2022-05-02', timestamp_before: '2022-05-03T00:00:00.000100Z' },
    ])('returns the same events as GET /events in each format for %j', async (filter) => {
      const query = { ...here, ...filter };
      const events = await listed(query);
      expect(events.length > 0).toBe(filter['application'] !== 'nobody');
      const lines = events.map((event) => `${line(event)}\n`);
      expect((await read({ ...query, format: 'ndjson' })).toString()).toBe(lines.join(''));
      expect(csvRows(await read({ ...query, format: 'csv' }))).toEqual(
        events.map((event) => ({ ...event, data: JSON.stringify(event.data) })),
      );
      expect(await parquetRows(await read({ ...query, format: 'parquet' }))).toEqual(events);
    });

    it('sets the content type and a file name for each format', async () => {
      for (const [format, type] of [
        ['ndjson', 'application/x-ndjson'],
        ['csv', 'text/csv; charset=utf-8'],
        ['parquet', 'application/vnd.apache.parquet'],
      ] as const) {
        for (const method of ['GET', 'HEAD']) {
          const { status, headers } = await open({ format, session_id: 'session-1' }, { method });
          expect([status, headers.get('content-type')]).toEqual([200, type]);
          expect(headers.get('content-disposition')).toMatch(
            new RegExp(`^attachment; filename="events-\\d{8}T\\d{6}Z\\.${format}"$`),
          );
        }
      }
      const byDefault = await open({ session_id: 'session-1' });
      expect(byDefault.headers.get('content-type')).toBe('application/x-ndjson');
    });

    it('rejects unknown parameters and invalid values with field errors', async () => {
      const { status, body } = await eye.get(
        '/events/export?format=xml&page=2&cursor=x&timestamp_after=2022-02-30&categry=a',
      );
      expect({ status, body }).toMatchObject({
        status: 400,
        body: {
          code: 'invalid',
          errors: {
            format: ['Must be ndjson, csv or parquet.'],
            page: ['Unknown parameter.'],
            cursor: ['Unknown parameter.'],
            timestamp_after: ['This day does not exist.'],
            categry: ['Unknown parameter.'],
          },
        },
      });
    });
  });

  describe('with unusual values', () => {
    const query = { category: 'odd', ordering: 'timestamp' };
    beforeAll(async () => {
      const events = UNUSUAL_TEXTS.map((text) => anEvent({ session_id: text, category: 'odd', name: text }));
      await eye.store(events);
      const { session_id, category, name, timestamp } = anEvent({ category: 'odd', name: 'data' });
      const rest = JSON.stringify({ session_id, category, name, timestamp }).slice(1);
      await eye.store(`{"data":${UNUSUAL_DATA},${rest}`);
    });

    it('returns NDJSON that can be sent again without adding rows', async () => {
      const file = (await read(query)).toString();
      const response = await fetch(`${eye.url}/events/?${new URLSearchParams(query).toString()}`);
      // The list has the text of PostgreSQL, with blanks between the tokens.
      const list = (await response.text()).replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
      for (const one of file.trimEnd().split('\n')) {
        const data = /"data":(\{.*\}),"timestamp":"[^"]*"\}$/.exec(one)?.[1] ?? 'none';
        if (one.includes('"name":"data"') || list.includes(data)) continue;
        throw new Error(`The list has no ${data}`);
      }
      const before = await eye.sql('SELECT count(*) FROM events');
      const { status, body } = await eye.post('/events/', file, {
        'content-type': 'application/x-ndjson',
        prefer: 'wait=20',
      });
      expect({ status, rejected: body.rejected, accepted: body.accepted }).toEqual({
        status: 200,
        rejected: [],
        accepted: UNUSUAL_TEXTS.length + 1,
      });
      expect(await eye.sql('SELECT count(*) FROM events')).toEqual(before);
      expect(body.ids.sort()).toEqual((await listed(query)).map(({ id }) => id).sort());
    });

    it('returns CSV without cells that a spreadsheet evaluates and without data loss', async () => {
      const file = await read({ ...query, format: 'csv' });
      expect(file.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
      const rows = csvRows(file);
      for (const cell of rows.flatMap((row) => Object.values(row)))
        expect(cell).not.toMatch(/^[\s\ufeff]*[=+\-@＝]/);
      const events = await listed(query);
      expect(
        rows.map(({ session_id = '', name = '' }) => [withoutPrefix(session_id), withoutPrefix(name)]),
      ).toEqual(events.map(({ session_id, name }) => [session_id, name]));
      // Harmless cells are not prefixed.
      expect(rows.map(({ session_id }) => session_id)).toEqual(expect.arrayContaining(['007', 'a=1', 'a"b']));
    });

    it('returns Parquet with typed columns and unchanged texts', async () => {
      const file = await read({ ...query, format: 'parquet' });
      expect(await parquetRows(file)).toEqual(await listed(query));
      const { schema, num_rows } = parquetMetadata(arrayBuffer(file));
      expect(num_rows).toBe(BigInt(UNUSUAL_TEXTS.length + 1));
      expect(schema.slice(1).map(({ name, logical_type }) => [name, logical_type?.type])).toEqual([
        ['id', 'STRING'],
        ['application', 'STRING'],
        ['session_id', 'STRING'],
        ['category', 'STRING'],
        ['name', 'STRING'],
        ['data', 'JSON'],
        ['timestamp', 'TIMESTAMP'],
      ]);
      expect(schema.at(-1)?.logical_type).toMatchObject({ unit: 'MICROS', isAdjustedToUTC: true });
    });

    it('preserves timestamps from year 1 to year 9999', async () => {
      const times = [
        '0001-01-01T00:00:00.000001Z',
        '1969-12-31T23:59:59.999999Z',
        '9999-12-31T23:59:59.999999Z',
      ];
      await eye.sql(
        `INSERT INTO events SELECT gen_random_uuid(), 'default', 'time', 'time', 'time', '{}', t, sha256(t::text::bytea)
         FROM unnest($1::timestamptz[]) AS t`,
        [times],
      );
      const session = { session_id: 'time', ordering: 'timestamp' };
      const rows = await parquetRows(await read({ ...session, format: 'parquet' }));
      expect(rows.map((row) => row['timestamp'])).toEqual(times);
      expect(csvRows(await read({ ...session, format: 'csv' })).map((row) => row['timestamp'])).toEqual(
        times,
      );
    });
  });

  it('returns an empty file of the requested format when no event matches', async () => {
    const query = { session_id: 'nobody' };
    expect((await read(query)).toString()).toBe('');
    expect((await read({ ...query, format: 'csv' })).toString()).toBe(
      '\ufeffid,application,session_id,category,name,data,timestamp\r\n',
    );
    const file = await read({ ...query, format: 'parquet' });
    expect(await parquetRows(file)).toEqual([]);
    expect(parquetMetadata(arrayBuffer(file)).schema).toHaveLength(8);
  });

  it('cancels its PostgreSQL query and releases its slot when the client disconnects', async () => {
    // fetch would reconnect immediately for the next request.
    const sendRequest = (): ReturnType<typeof get> =>
      get(`${eye.url}/events/export?category=big`, { agent: false }).on('error', () => undefined);
    const locker = new pg.Client({ connectionString: eye.databaseUrl });
    await locker.connect();
    try {
      await locker.query('BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE');
      for (let time = 0; time < LIMIT + 1; time++) {
        const request = sendRequest();
        await eventually(async () => expect(await activeQueries()).toHaveLength(1));
        request.destroy();
        // Well before the stall timeout.
        await eventually(async () => expect(await activeQueries()).toEqual([]), STALL_TIMEOUT_MS / 2);
      }
    } finally {
      await locker.end();
    }
    for (let time = 0; time < LIMIT + 1; time++) {
      const request = await eventually(async () => {
        const [response] = (await once(sendRequest(), 'response')) as [IncomingMessage];
        expect(response.statusCode).toBe(200);
        return response;
      });
      await once(request, 'data');
      request.destroy();
    }
    await eventually(async () => expect(await activeQueries()).toEqual([]));
    // No export slot is still occupied.
    const responses = await Promise.all(Array.from({ length: LIMIT }, () => openExport()));
    // Read concurrently: a response that waits for the other could count as stalled.
    const texts = await Promise.all(responses.map((response) => response.text()));
    for (const text of texts) expect(text.split('\n')).toHaveLength(701);
  });

  it('lets a key run its share of the exports, and another key run one meanwhile', async () => {
    const admin = await Admin.of(eye);
    const [greedy, other] = [
      await admin.create('default', { scope: 'read' }),
      await admin.create('default', { scope: 'read' }),
    ];
    const openWith = ({ key }: NewKey): Promise<Response> =>
      open({ category: 'big' }, { headers: bearer(key) });
    const first = await eventually(async () => {
      const response = await openWith(greedy);
      expect(response.status).toBe(200);
      return response;
    });
    const second = await eye.get('/events/export?category=big', bearer(greedy.key));
    expect([second.status, second.body.code]).toEqual([429, 'rate_limited']);
    expect(second.headers.get('retry-after')).toBe('5');
    const ofOther = await openWith(other);
    expect(ofOther.status).toBe(200);
    await Promise.all([first.body?.cancel(), ofOther.body?.cancel()]);
  });

  it('disconnects stalled readers and rejects only further exports until then', async () => {
    const abortedExports = (): number => eye.output.split('cut off: The reader took too long').length - 1;
    const before = abortedExports();
    const stalled = await Promise.all(Array.from({ length: LIMIT }, () => openExport()));
    const { status, headers, body } = await eye.get('/events/export?category=big');
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'too_many_exports' });
    expect(headers.get('retry-after')).toBe('5');
    expect((await eye.get('/events/?category=big')).status).toBe(200);
    await eventually(async () => {
      await openExport({ category: 'none' });
      expect(abortedExports() - before).toBe(LIMIT);
    }, STALL_TIMEOUT_MS * 3);
    // The client notices that the response is incomplete.
    for (const response of stalled) await expect(response.arrayBuffer()).rejects.toThrow();
  });

  /** Reads an export over HTTP/1.0, in which the end of the connection is the end of the response. */
  const readOverHttp10 = (...options: string[]): ChildProcess =>
    spawn('curl', ['--http1.0', '--silent', '--fail', ...options, `${eye.url}/events/export?category=big`]);

  it('sends the whole file to a reader of HTTP/1.0', async () => {
    await eventually(async () => {
      const reader = readOverHttp10();
      let file = '';
      reader.stdout?.on('data', (chunk: Buffer) => (file += chunk.toString()));
      expect(await once(reader, 'close')).toEqual([0, null]);
      expect(file.trimEnd().split('\n')).toHaveLength(700);
    });
  });

  it('aborts the response when PostgreSQL is killed and returns 503 while it is down', async () => {
    const response = await openExport();
    const reader = readOverHttp10('--limit-rate', '2M');
    const ended = once(reader, 'close');
    await once(reader.stdout as Readable, 'data');
    reader.stdout?.resume();
    await postgres.kill();
    await expect(response.arrayBuffer()).rejects.toThrow();
    // CURLE_RECV_ERROR. Without a reset it would take the end of the connection for the end of the file.
    expect(await ended).toEqual([56, null]);
    const { status, body } = await eye.get('/events/export');
    expect({ status, code: body.code }).toEqual({ status: 503, code: 'database_unavailable' });
    await postgres.start();
    await openExport({ category: 'none' });
    expect((await read({ category: 'big' })).toString().trimEnd().split('\n')).toHaveLength(700);
    expect(eye.output).toContain('An export was cut off: PostgreSQL is not available right now.');
  });

  it('aborts the response when the server shuts down', async () => {
    const response = await openExport();
    // The exit code would be 1 after 30 seconds.
    expect(await eye.end()).toBe(0);
    await expect(response.arrayBuffer()).rejects.toThrow();
  });
});

function arrayBuffer(file: Buffer): ArrayBuffer {
  return new Uint8Array(file).buffer;
}

/** Parses values as GET /events formats them; the default parsers drop microseconds and byte order marks. */
const EXACT_PARSERS = {
  timestampFromMicroseconds: (micros: bigint): string => {
    const ofSecond = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const second = new Date(Number((micros - ofSecond) / 1000n)).toISOString();
    return `${second.slice(0, 20)}${String(ofSecond).padStart(6, '0')}Z`;
  },
  stringFromBytes: (bytes: Uint8Array): string => Buffer.from(bytes).toString(),
};
