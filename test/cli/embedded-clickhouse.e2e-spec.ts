import type { ClickHouseClient } from '@clickhouse/client';
import fc from 'fast-check';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { anyCharacter } from '../../src/platform/json/any-character.spec-support.js';
import { eventually } from '../../testing/the-eye.js';
import { OwnClickHouse } from '../support/servers.js';

const MEGABYTE = 1024 * 1024;

/** Computes for minutes. */
const ENDLESS = 'SELECT sum(number) FROM numbers(1000000000000) WHERE number % 3 = 1';

interface RawAnswer {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

describe('The embedded ClickHouse', () => {
  let clickhouse: OwnClickHouse;
  let client: ClickHouseClient;
  beforeAll(async () => {
    clickhouse = await OwnClickHouse.start();
    client = clickhouse.client();
  });
  afterAll(async () => {
    await client.close();
    await clickhouse.close();
  });

  /** Sends a request as no client would. */
  const send = (
    path: string,
    {
      method = 'POST',
      body = '',
      headers = {},
    }: { method?: string; body?: string | Buffer; headers?: object },
  ): Promise<RawAnswer> =>
    new Promise((resolve, reject) => {
      const options = { socketPath: clickhouse.socket, method, path, headers: { ...headers } };
      const sent = request(options, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }),
        );
      });
      sent.on('error', reject).end(body);
    });

  const rowsOf = async <Row>(query: string, query_params: Record<string, unknown> = {}): Promise<Row[]> =>
    (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Row>();

  const running = async (): Promise<number> => {
    const [row] = await rowsOf<{ count: number }>(
      `SELECT toUInt32(count()) AS count FROM system.processes WHERE query NOT LIKE '%system.processes%'`,
    );
    return row?.count ?? 0;
  };

  it('answers ping(), query(), command(), insert() and exec() of the official client', async () => {
    expect(await client.ping()).toEqual({ success: true });
    expect(await client.ping({ select: true })).toEqual({ success: true });
    await client.command({ query: 'CREATE TABLE t (a UInt32, b String) ENGINE = MergeTree ORDER BY a' });
    const { summary } = await client.insert({
      table: 't',
      values: [
        { a: 1, b: 'x' },
        { a: 2, b: "'\\\n\t`;" },
      ],
      format: 'JSONEachRow',
    });
    expect(summary).toMatchObject({ written_rows: '2' });
    await client.insert({
      table: 't',
      values: Readable.from(['3,y\n', '4,z\n'], { objectMode: false }),
      format: 'CSV',
    });
    await client.command({ query: `INSERT INTO t VALUES (5, 'five; 5')` });
    expect(await rowsOf('SELECT * FROM t ORDER BY a')).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: "'\\\n\t`;" },
      { a: 3, b: 'y' },
      { a: 4, b: 'z' },
      { a: 5, b: 'five; 5' },
    ]);
    const result = await client.query({ query: 'SELECT 1 AS one', format: 'JSON' });
    expect(await result.json()).toMatchObject({ data: [{ one: 1 }], rows: 1 });
    const { stream, summary: answered } = await client.exec({ query: 'SELECT 7 FORMAT CSVWithNames' });
    expect(answered).toMatchObject({ result_rows: '1' });
    expect(await textOf(stream)).toBe('"7"\n7\n');
    await client.command({ query: 'DROP TABLE t' });
  });

  it('reads with two threads where there are two cores, however little memory is free', async () => {
    const [own] = await rowsOf<{ threads: string; memory: string }>(
      `SELECT toString(getSetting('max_threads')) AS threads,
         toString(getSetting('max_threads_min_free_memory_per_thread')) AS memory`,
    );
    expect(own).toEqual({ threads: String(Math.min(2, availableParallelism())), memory: '0' });
  });

  it('answers with one thread what needs too much memory with two', async () => {
    // How much two threads need by themselves depends on how evenly a busy machine lets them work.
    const numbers = (threads: string): string =>
      `SELECT length(groupArray(number)) AS count FROM numbers(if(getSetting('max_threads') = 1, 1000, 10000000))
       SETTINGS max_memory_usage = ${25 * MEGABYTE}${threads}`;
    await expect(rowsOf(numbers(', max_threads = 2'))).rejects.toThrow(/memory limit exceeded/);
    expect(await rowsOf(numbers(''))).toEqual([{ count: 1000 }]);
  });

  it('binds parameters of any text as one value', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string({ unit: anyCharacter }), fc.stringMatching(/^['"`\\;\n\t\r -]*$/)), {
          minLength: 1,
        }),
        async (texts) => {
          const [row] = await rowsOf<{ one: string; all: string[] }>(
            'SELECT {one:String} AS one, {all:Array(String)} AS all',
            { one: texts[0], all: texts },
          );
          expect(row).toEqual({ one: texts[0], all: texts });
        },
      ),
      { numRuns: 20 },
    );
  });

  it('takes settings, a database and parameters of one request for that request only', async () => {
    await client.command({ query: 'CREATE DATABASE IF NOT EXISTS `other``s`' });
    const path = '/?database=other%60s&max_threads=3&param_p=1';
    const query = `SELECT currentDatabase(), getSetting('max_threads'), {p:UInt8}`;
    expect((await send(path, { body: query })).body.toString()).toBe('other`s\t3\t1\n');
    const [own] = await rowsOf<{ database: string; threads: number }>(
      `SELECT currentDatabase() AS database, getSetting('max_threads') AS threads`,
    );
    expect(own?.database).toBe('default');
    expect(Number(own?.threads)).not.toBe(3);
    const without = await send('/', { body: query });
    expect(without.headers['x-clickhouse-exception-code']).toBe('456');
    await client.command({ query: 'DROP DATABASE `other``s`' });
  });

  it.each([
    ['a statement', { body: 'SELEC 1' }, '/', 400, '62'],
    ['an empty statement', { body: ' -- nothing\n ;' }, '/', 400, '62'],
    ['a second statement', { body: 'SELECT 1; DROP DATABASE system' }, '/', 400, '62'],
    ['a second statement behind a comment', { body: `SELECT ';' /* ; */; SELECT 2` }, '/', 400, '62'],
    ['a table', { body: 'SELECT * FROM nowhere' }, '/', 404, '60'],
    ['a database', { body: 'SELECT 1' }, '/?database=nowhere', 404, '81'],
    ['a setting', { body: 'SELECT 1' }, '/?no_such_setting=1', 404, '115'],
    [
      'a value of a setting',
      { body: 'SELECT 1' },
      `/?max_threads=${encodeURIComponent("1', readonly = '0")}`,
      400,
      '27',
    ],
    [
      'a name that ends the statement',
      { body: 'SELECT 1' },
      `/?${encodeURIComponent('max_threads = 1; DROP TABLE t --')}=1`,
      404,
      '115',
    ],
    [
      'a format that ends the statement',
      { body: 'SELECT 1' },
      `/?default_format=${encodeURIComponent('CSV; SELECT 2')}`,
      404,
      '73',
    ],
    [
      'a file to write',
      { body: `SELECT 1 INTO /* */ OUTFILE '/tmp/the-eye-must-not-exist'` },
      '/',
      500,
      '344',
    ],
    [
      'a change by GET',
      { method: 'GET' },
      `/?query=${encodeURIComponent('CREATE TABLE x (a Int8) ENGINE = Memory')}`,
      500,
      '164',
    ],
    ['a coding', { body: 'SELECT 1', headers: { 'content-encoding': 'br' } }, '/', 501, '48'],
    ['a time limit', { body: ENDLESS }, '/?max_execution_time=0.2', 408, '159'],
  ])('refuses %s with the status and the code of ClickHouse', async (_, request, path, status, code) => {
    const answer = await send(path, request);
    expect([answer.status, answer.headers['x-clickhouse-exception-code']]).toEqual([status, code]);
    expect(answer.body.toString()).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: `));
  });

  it('lets no later clause take a read-only setting back', async () => {
    const answer = await send('/?readonly=1', { body: 'SELECT 1 SETTINGS readonly = 0, max_threads = 1' });
    expect(answer.headers['x-clickhouse-exception-code']).toBe('164');
  });

  it('decompresses a body, and compresses an answer only if asked', async () => {
    await client.command({ query: 'CREATE TABLE z (a UInt8) ENGINE = Memory' });
    const path = `/?query=${encodeURIComponent('INSERT INTO z FORMAT JSONEachRow')}`;
    const body = gzipSync('{"a":1}\n{"a":2}\n');
    expect((await send(path, { body, headers: { 'content-encoding': 'gzip' } })).status).toBe(200);
    const headers = { 'accept-encoding': 'gzip' };
    const plain = await send('/', { body: 'SELECT sum(a) FROM z', headers });
    expect([plain.headers['content-encoding'], plain.body.toString()]).toEqual([undefined, '3\n']);
    const compressed = await send('/?enable_http_compression=1', { body: 'SELECT sum(a) FROM z', headers });
    expect(compressed.headers['content-encoding']).toBe('gzip');
    await client.command({ query: 'DROP TABLE z' });
  });

  it('stores an insert with the same token once', async () => {
    await client.command({
      query:
        'CREATE TABLE d (a UInt8) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 10',
    });
    for (const token of ['one', 'one', 'two'])
      await client.insert({
        table: 'd',
        values: [{ a: 1 }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token: token },
      });
    expect(await rowsOf('SELECT sum(a) AS sum FROM d')).toEqual([{ sum: 2 }]);
    await client.command({ query: 'DROP TABLE d' });
  });

  it.each([
    ['a query whose client hangs up', () => client.query({ query: ENDLESS, ...aborted() })],
    ['a query of another format', () => client.query({ query: ENDLESS, format: 'JSON', ...aborted() })],
    [
      'a stream that nobody reads on',
      async () => {
        const { stream } = await client.exec({
          query: 'SELECT number FROM numbers(1000000000000) FORMAT JSONEachRow',
        });
        for await (const chunk of stream) {
          void chunk;
          break;
        }
      },
    ],
  ])('cancels %s', async (_, ask) => {
    await Promise.resolve(ask()).catch(() => undefined);
    await eventually(async () => expect(await running()).toBe(0));
  });

  it('streams an answer that is larger than its memory', async () => {
    const { stream } = await client.exec({
      query: `SELECT number, repeat('x', 100) FROM numbers(2000000) FORMAT JSONEachRow`,
    });
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(250 * MEGABYTE);
    expect(await residentBytes(clickhouse)).toBeLessThan(600 * MEGABYTE);
  });

  it('ends an answer early, without a last chunk, when an error comes in the middle', async () => {
    const query = 'SELECT throwIf(number = 900000) FROM numbers(1000000) FORMAT JSONEachRow';
    await expect(send('/', { body: query })).rejects.toThrow(/aborted|socket hang up/);
  });

  it('refuses questions that need too much memory by name, and goes on', async () => {
    const greedy = 'SELECT groupArray(toString(number)) FROM numbers(100000000) FORMAT Null';
    const answers = await Promise.all(Array.from({ length: 16 }, () => send('/', { body: greedy })));
    for (const { headers } of answers) expect(headers['x-clickhouse-exception-code']).toBe('241');
    expect(await residentBytes(clickhouse)).toBeLessThan(600 * MEGABYTE);
    expect(await rowsOf('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('answers others while it analyses a statement of thousands of conditions', async () => {
    const conditions = Array.from({ length: 2000 }, (_, index) => `position(a, '${index}') = ${index + 1}`);
    let isRunning = true;
    const asked = client
      .query({
        query: `SELECT count() AS count FROM (SELECT toString(number) AS a FROM numbers(9)) WHERE ${conditions.join(' OR ')}`,
        format: 'JSONEachRow',
        clickhouse_settings: { wait_end_of_query: 1 },
      })
      .finally(() => (isRunning = false));
    let answers = 0;
    while (isRunning) {
      await client.ping();
      if (isRunning) answers++;
    }
    expect(await (await asked).json()).toEqual([{ count: expect.anything() }]);
    expect(answers).toBeGreaterThan(10);
  });

  it('answers waiting statements in order, and refuses more than may wait', async () => {
    const ended: number[] = [];
    const asked = Array.from({ length: 40 }, async (_, index) => {
      await send('/', { body: 'SELECT sleep(0.05)' });
      ended.push(index);
    });
    await Promise.all(asked);
    for (const [position, index] of ended.entries()) expect(Math.abs(position - index)).toBeLessThan(16);
    // While one runs for three seconds in each of the two places.
    const many = await Promise.all(
      Array.from({ length: 300 }, (_, index) =>
        send('/', { body: index < 2 ? 'SELECT sleep(3) FORMAT Null' : 'SELECT 1 FORMAT Null' }),
      ),
    );
    const refused = many.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const { headers } of refused) expect(headers['x-clickhouse-exception-code']).toBe('202');
  });

  it('has every insert that it confirmed, and nothing else, after it was killed', async () => {
    await client.command({
      query: `CREATE TABLE k (batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY (batch, row)
        SETTINGS fsync_after_insert = 1`,
    });
    let confirmed = 0;
    const inserting = (async () => {
      for (;;) {
        const values = Array.from({ length: 1000 }, (_, row) => ({ batch: confirmed, row }));
        await client.insert({ table: 'k', values, format: 'JSONEachRow' });
        confirmed++;
      }
    })().catch(() => undefined);
    await eventually(() => (confirmed > 5 ? Promise.resolve() : Promise.reject(new Error('waiting'))));
    await clickhouse.kill();
    await inserting;
    await clickhouse.start();
    const batches = await rowsOf<{ batch: number; rows: string }>(
      'SELECT batch, count() AS rows FROM k GROUP BY batch ORDER BY batch',
    );
    for (const { rows } of batches) expect(Number(rows)).toBe(1000);
    expect(batches.length - confirmed).toBeGreaterThanOrEqual(0);
    expect(batches.length - confirmed).toBeLessThanOrEqual(1);
    await client.command({ query: 'DROP TABLE k' });
  });

  it('ends its process, which is restarted then, for a statement that cannot be cancelled, unless it gets no core', async () => {
    const stuck = 'SELECT arrayMap(x -> has(range(600000), x), range(600000))';
    await expect(client.query({ query: stuck, ...aborted() })).rejects.toThrow();
    // As on a busy host.
    for (const end = Date.now() + 12_000; Date.now() < end;) {
      await clickhouse.freeze();
      await sleep(450);
      await clickhouse.thaw();
      await sleep(20);
    }
    expect(await clickhouse.accepts()).toBe(true);
    await eventually(async () => expect(await clickhouse.accepts()).toBe(false));
    await clickhouse.start();
    expect(await rowsOf('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('stops cleanly while a statement runs', async () => {
    const asked = client.query({ query: ENDLESS }).catch(() => undefined);
    await eventually(async () => expect(await running()).toBe(1));
    const began = Date.now();
    await clickhouse.stop();
    expect(Date.now() - began).toBeLessThan(20_000);
    await asked;
    await clickhouse.start();
    expect(await rowsOf('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

/** A signal that aborts as soon as the statement runs. */
function aborted(): { abort_signal: AbortSignal } {
  return { abort_signal: AbortSignal.timeout(500) };
}

async function textOf(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return text;
}

/** Linux only; elsewhere 0. */
async function residentBytes({ pid }: OwnClickHouse): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}
