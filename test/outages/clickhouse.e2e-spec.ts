import { cp, mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import {
  ClickHouseUnavailableError,
  QuestionTooLargeError,
} from '../../src/platform/clickhouse/clickhouse-errors.js';
import { anEvent, eventually, onTime, remove, TheEye } from '../../testing/the-eye.js';
import { Copy } from '../support/replication.js';
import { OwnClickHouse } from '../support/servers.js';
import { startEye } from '../support/start-eye.js';

const PROJECT = join(import.meta.dirname, '../..');

const expectClickHouse = (eye: TheEye, expected: object): Promise<void> =>
  eventually(async () => {
    const { status, body } = await eye.get('/health/ready');
    expect(status).toBe(200);
    expect(body.checks.clickhouse).toEqual(expected);
  });

describe('The Eye with a ClickHouse that fails', () => {
  let clickhouse: OwnClickHouse;
  let eye: TheEye;
  beforeAll(async () => {
    clickhouse = await OwnClickHouse.start();
    eye = await startEye({ CLICKHOUSE_URL: clickhouse.url });
  });
  afterAll(async () => {
    await eye.close();
    await clickhouse.close();
  });

  it.each([
    ['is stopped', () => clickhouse.stop(), () => clickhouse.start(), /cannot be reached \(E/],
    ['is killed', () => clickhouse.kill(), () => clickhouse.start(), /cannot be reached \(E/],
    ['hangs', () => clickhouse.freeze(), () => clickhouse.thaw(), /cannot be reached|in time/],
  ])('stays ready and stores events while it %s, and says so', async (_, interrupt, restore, reason) => {
    await expectClickHouse(eye, { status: 'up' });
    await interrupt();
    await expectClickHouse(eye, { status: 'down', reason: expect.stringMatching(reason) as unknown });
    expect((await eye.get('/metrics')).body).toMatch(/^the_eye_clickhouse_up\{[^}]*\} 0$/m);
    const { took } = await eye.store(anEvent());
    expect(took).toBeLessThan(onTime(2000));
    await restore();
    await expectClickHouse(eye, { status: 'up' });
    expect((await eye.get('/metrics')).body).toMatch(/^the_eye_clickhouse_up\{[^}]*\} 1$/m);
  });

  it('logs an outage and its end once each', () => {
    const outages = eye.output.match(/questions get 503 until that has changed/g)?.length ?? 0;
    expect(outages).toBeGreaterThan(0);
    // Of three outages, two may be one to a busy machine.
    expect(outages).toBeLessThanOrEqual(3);
    expect(eye.output.match(/ClickHouse is available again/g)?.length).toBe(outages);
  });

  it('answers the question during which it ended with an error, names it in the log, and does not repeat it', async () => {
    await new Copy(eye).caughtUp();
    const runs = (): Promise<unknown[]> =>
      clickhouse
        .client()
        .query({
          query: `SELECT 1 FROM system.processes WHERE query LIKE '%AS endless)%'`,
          format: 'JSONEachRow',
        })
        .then((answer) => answer.json());
    const asked = eye.post('/query/', {
      sql: 'SELECT sum(endless) FROM (SELECT arrayJoin(range(10000000)) + arrayJoin(range(10000000)) AS endless)',
    });
    await eventually(async () => expect((await runs()).length).toBeGreaterThan(1));
    await clickhouse.kill();
    const { status, headers, body } = await asked;
    expect([status, body.code]).toEqual([503, 'clickhouse_unavailable']);
    expect(headers.get('retry-after')).toMatch(/^\d+$/);
    expect(eye.output).toMatch(/lost while ClickHouse worked on the statement \\"query\\" for no key/);
    await clickhouse.start();
    await expectClickHouse(eye, { status: 'up' });
    expect(await runs()).toHaveLength(1); // This look itself.
  });

  it('starts without it, and finds it later', async () => {
    await clickhouse.stop();
    await eye.restart({});
    await eye.store(anEvent());
    // What PostgreSQL finds. It also finds a category of one application, which is all that a key of that one can ask for.
    for (const query of [
      '',
      'category=page%20interaction',
      'application=default&category=page%20interaction',
    ]) {
      const { status, body } = await eye.get(`/events/?${query}`);
      expect([status, body.results.length > 0, body.as_of]).toEqual([200, true, undefined]);
      const file = await eye.get(`/events/export?columns=category&${query}`);
      expect([file.status, file.body]).toEqual([200, expect.stringContaining('page interaction')]);
    }
    for (const path of ['/events/?name=pageview', '/events/?data.path=/', '/events/export?data.path=/']) {
      const { status, headers, body } = await eye.get(path);
      expect([status, body.code]).toEqual([503, 'clickhouse_unavailable']);
      expect(body.detail).toContain('ClickHouse');
      expect(headers.get('retry-after')).toMatch(/^\d+$/);
    }
    await clickhouse.start();
    await expectClickHouse(eye, { status: 'up' });
  });
});

describe('The client of ClickHouse', () => {
  let server: OwnClickHouse;
  let clickhouse: ClickHouse;
  beforeAll(async () => {
    server = await OwnClickHouse.start();
    clickhouse = new ClickHouse(`${server.url}?database=made`);
  });
  afterAll(async () => {
    await clickhouse.onApplicationShutdown();
    await server.close();
  });

  it('creates its database, again after somebody dropped it', async () => {
    await clickhouse.command('CREATE TABLE t (a Int64) ENGINE = MergeTree ORDER BY a');
    await clickhouse.insert('t', '{"a":"9007199254740993"}\n{"a":1}\n');
    expect(await clickhouse.query('SELECT a FROM t ORDER BY a DESC')).toEqual([
      { a: '9007199254740993' },
      { a: '1' },
    ]);
    await clickhouse.command('DROP DATABASE made');
    await expect(clickhouse.query('SELECT 1')).rejects.toMatchObject({ code: '81' });
    expect(await clickhouse.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each([
    ['memory', `SELECT groupArray(toString(number)) FROM numbers(100000000)`, 60_000, {}],
    ['time', 'SELECT sum(number) FROM numbers(1000000000000) WHERE number % 3 = 1', 3000, {}],
    ['rows', 'SELECT number FROM numbers(100)', 60_000, { max_result_rows: 10 }],
  ])('names the limit of %s', async (_, sql, timeoutMs, settings) => {
    const asked = clickhouse.query(sql, {}, { timeoutMs, settings });
    await expect(asked).rejects.toThrow(QuestionTooLargeError);
    await expect(asked).rejects.toThrow(/max_\w+.*Ask for a shorter range/);
  });

  it('cancels a question that nobody waits for', async () => {
    const leave = new AbortController();
    setTimeout(() => leave.abort(), 300);
    const sql = 'SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(number)';
    const asked = clickhouse.query(sql, {}, { timeoutMs: 60_000, signal: leave.signal });
    await expect(asked).rejects.toThrow(ClickHouseUnavailableError);
    await eventually(async () => {
      const rows = await clickhouse.query(
        `SELECT 1 FROM system.processes WHERE query LIKE '%ignore(number)%'`,
      );
      expect(rows).toHaveLength(1); // This question itself.
    });
  });

  it('answers within the deadline while ClickHouse hangs', async () => {
    await server.freeze();
    const began = Date.now();
    await expect(clickhouse.query('SELECT 1', {}, { timeoutMs: 500 })).rejects.toThrow('in time');
    expect(Date.now() - began).toBeLessThan(onTime(1000));
    await server.thaw();
    await eventually(() => clickhouse.query('SELECT 1'));
  });

  it('streams an answer, and reports an error in its middle', async () => {
    let bytes = 0;
    for await (const chunk of await clickhouse.stream('SELECT number FROM numbers(1000000)'))
      bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(1_000_000);
    const reading = (async () => {
      for await (const chunk of await clickhouse.stream(
        'SELECT throwIf(number = 900000) FROM numbers(1000000)',
      ))
        void chunk;
    })();
    await expect(reading).rejects.toThrow();
  });
});

describe('The Eye without ClickHouse', () => {
  let folder: string;
  beforeAll(async () => {
    // A copy of the program, whose packages have no chdb.
    folder = await mkdtemp(join(tmpdir(), 'eye-test-'));
    await cp(join(PROJECT, 'dist'), join(folder, 'dist'), { recursive: true });
    await cp(join(PROJECT, 'package.json'), join(folder, 'package.json'));
    await mkdir(join(folder, 'node_modules'));
    for (const name of await readdir(join(PROJECT, 'node_modules'))) {
      if (/^@?chdb$/.test(name)) continue;
      await symlink(join(PROJECT, 'node_modules', name), join(folder, 'node_modules', name));
    }
  });
  afterAll(() => remove(folder));

  it('starts, stores and lists events, and says how to have answers to questions', async () => {
    const eye = await TheEye.start({}, { program: join(folder, 'dist/main.js') });
    expect(eye.output).toMatch(/^ {2}ClickHouse {2}none/m);
    const { body } = await eye.store(anEvent());
    expect((await eye.get(`/events/${body.id}/`)).status).toBe(200);
    await expectClickHouse(eye, {
      status: 'down',
      reason: expect.stringMatching(/^Questions need ClickHouse: set CLICKHOUSE_URL, or/) as unknown,
    });
    await sleep(100);
    expect(eye.output).not.toMatch(/"level":"(warn|error|fatal)"/);
    await eye.close();
  });
});
