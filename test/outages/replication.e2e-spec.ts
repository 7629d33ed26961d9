import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import { CopyRepository } from '../../src/replication/copy.repository.js';
import { EVENTS, QUARTER } from '../../src/replication/copy-table.js';
import { Random } from '../../testing/random.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { Link } from '../support/link.js';
import { Load } from '../support/load.js';
import { PgBouncer } from '../support/pgbouncer.js';
import { AGREES, Copy } from '../support/replication.js';
import { OwnClickHouse, OwnPostgres } from '../support/servers.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

/** Payloads that a typed column treats in ways of its own. */
const PAYLOADS = [
  {},
  { a: 1 },
  { a: '1' },
  { a: { b: [1, 'x', null, { c: true }] } },
  { 'a.b': 1, a: { b: 2 } },
  { '': { '': 1 } },
  { text: '"\\\t\n\u2028 😀 é' },
  { date: '2020-01-01', time: '2020-01-01 00:00:00' },
  { 'a%2Eb': 1, 'a.b': 2 },
];

/** SQL of a payload that no JSON of JavaScript can hold. */
const LARGE = `'{"large": 123456789012345678901234567890, "huge": 1e400, "small": -1e-400, "at": 18446744073709551615}'`;

const INSERT = `
  INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
  SELECT md5(n::text || $2::text)::uuid, (ARRAY['shop', 'blog'])[1 + abs(n) % 2], 's', 'category', 'name', $2::jsonb,
    '2021-01-01T00:00:00Z'::timestamptz + n * interval '7 hours', sha256(convert_to($2::text, 'UTF8'))
  FROM unnest($1::int[]) AS n
  ORDER BY n
  ON CONFLICT DO NOTHING`;

/** Stores, removes, updates and sometimes empties the same few events again and again, in transactions that overlap. */
async function changeAtRandom(databaseUrl: string, seed: number, transactions: number): Promise<void> {
  const random = new Random(seed);
  const client = new pg.Client(databaseUrl);
  client.on('error', () => undefined);
  await client.connect();
  const some = (): number[] =>
    Array.from({ length: Math.ceil(random.between(0, 40)) }, () => Math.floor(random.between(-5, 60)));
  const statements: (() => [string, unknown[]])[] = [
    () => [INSERT, [some(), JSON.stringify(random.of(PAYLOADS))]],
    () => [INSERT, [some(), JSON.stringify(random.of(PAYLOADS))]],
    () => [INSERT.replaceAll('$2::jsonb', LARGE).replaceAll('$2', "'large'"), [some()]],
    () => [
      `DELETE FROM events WHERE ctid IN (SELECT ctid FROM events ORDER BY id LIMIT $1 FOR UPDATE)`,
      [some().length],
    ],
    () => [
      // As the id follows from the other fields, it changes with them.
      `UPDATE events SET session_id = session_id || 'x', id = md5(id::text)::uuid WHERE length(session_id) < 4 AND id::text > $1`,
      [random.of(['8', 'c'])],
    ],
  ];
  try {
    for (let n = 0; n < transactions; n++) {
      try {
        await client.query('BEGIN');
        for (let count = 0; count < random.between(1, 4); count++)
          await client.query(...random.of(statements)());
        if (random.chance(0.02)) await client.query('TRUNCATE events');
        if (random.chance(0.3)) await sleep(random.between(0, 30));
        await client.query(random.chance(0.15) ? 'ROLLBACK' : 'COMMIT');
      } catch (error) {
        // A deadlock, or the end of the server: PostgreSQL rolls back.
        if (!/deadlock|duplicate|terminat/i.test(String(error))) throw error;
        await client.query('ROLLBACK');
      }
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

const changes = (eye: TheEye, seed: number, transactions: number): Promise<unknown> =>
  Promise.all(
    [1, 2, 3, 4].map((client) => changeAtRandom(eye.databaseUrl, seed * 10 + client, transactions)),
  );

describe('The copy in ClickHouse', () => {
  let eye: TheEye;
  let copy: Copy;
  beforeAll(async () => {
    eye = await TheEye.start();
    copy = new Copy(eye);
    await copy.caughtUp();
  });
  afterAll(() => eye.close());

  it('equals PostgreSQL, at any moment, after random changes by several clients', async () => {
    let running = true;
    const changed = changes(eye, 1, 12).finally(() => (running = false));
    // While events go on arriving.
    while (running) expect(await copy.verify()).toMatch(AGREES);
    await changed;
    await copy.caughtUp();
    expect(await copy.verify()).toMatch(AGREES);
    const rows = await eye.sql<{ id: string; data: string }>(
      'SELECT id, data::text AS data FROM events ORDER BY id::text',
    );
    const copied = (
      await copy.ask(
        'SELECT toString(id) AS id, data_text AS data FROM events ORDER BY id FORMAT JSONEachRow',
      )
    )
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; data: string });
    copied.sort((one, other) => (one.id < other.id ? -1 : 1));
    expect(rows.length).toBeGreaterThan(0);
    expect(copied).toEqual(rows);
  });

  it('names the applications and days that differ, and is made again', async () => {
    await eye.store(anEvent({ timestamp: '2021-03-04T05:06:07Z' }));
    await copy.caughtUp();
    await copy.ask(`DELETE FROM events WHERE timestamp = 1614834367000000`);
    expect(await copy.verify()).toContain('default, 2021-03-04: 1 events in PostgreSQL, 0 in ClickHouse.');
    await eye.sql(`UPDATE replication_state SET copy_schema = 'another'`);
    await copy.caughtUp();
    await eventually(async () => expect(await copy.verify()).toMatch(AGREES));
  });

  it('is made again when ClickHouse has lost it, while events go on arriving', async () => {
    await copy.ask('DROP TABLE events SYNC');
    const changed = changes(eye, 3, 10);
    await changed;
    // The worker notices at the next failure.
    await eventually(async () => expect(await copy.verify()).toMatch(AGREES), 60_000);
  });

  it('loses and doubles nothing when ClickHouse is killed and frozen', async () => {
    const load = Load.on(eye);
    const changed = changes(eye, 4, 10);
    for (let n = 0; n < 2; n++) {
      await load.waitForResponses(202, 20);
      await copy.signal('SIGKILL');
      await sleep(1500);
    }
    await eventually(() => copy.count());
    await copy.signal('SIGSTOP');
    await sleep(3000);
    expect((await eye.post('/events/', anEvent())).status).toBe(202);
    await copy.signal('SIGCONT');
    await changed;
    await load.stop();
    await copy.caughtUp();
    expect(await copy.verify()).toMatch(AGREES);
    await eye.sql('TRUNCATE events');
  });

  it('leaves the disk of ClickHouse a minute after a removal', async () => {
    const event = anEvent({ session_id: 'erased' });
    await eye.store([event, ...Array.from({ length: 20 }, () => anEvent())]);
    await copy.caughtUp();
    await eye.sql(`DELETE FROM events WHERE session_id = 'erased'`);
    await copy.caughtUp();
    const marked = `SELECT countIf(has_lightweight_delete OR length(projections) < 4) FROM system.parts
      WHERE database = '${copy.database}' AND table = 'events' AND active AND rows > 0`;
    expect(Number(await copy.ask(marked))).toBeGreaterThan(0);
    await eventually(async () => expect(Number(await copy.ask(marked))).toBe(0), 120_000);
    expect(await copy.verify()).toMatch(AGREES);
  }, 180_000);

  it('loses and doubles nothing when the whole Eye is killed', async () => {
    const load = Load.on(eye);
    await load.waitForResponses(202, 30);
    await eye.end('SIGKILL');
    await load.stop().catch(() => undefined);
    await eye.start();
    await eye.drained();
    await copy.caughtUp();
    expect(await copy.verify()).toMatch(AGREES);
  });
});

describe('Workers whose way to ClickHouse breaks', () => {
  let api: TheEye;
  let copy: Copy;
  let link: Link;
  let workers: TheEye[];
  beforeAll(async () => {
    api = await TheEye.start({ ROLE: 'api' });
    copy = new Copy(api);
    link = await Link.open({ path: copy.socket });
    const CLICKHOUSE_URL = `http://127.0.0.1:${link.port}/${copy.database}`;
    workers = await Promise.all([1, 2].map(() => api.startPeer({ ROLE: 'worker', CLICKHOUSE_URL })));
    await copy.caughtUp();
  });
  afterAll(async () => {
    for (const worker of workers) await worker.end();
    await link.close();
    await api.close();
  });

  it('copy every event once when answers are lost', async () => {
    let running = true;
    const changed = changes(api, 5, 10).finally(() => (running = false));
    const random = new Random(7);
    while (running) {
      await sleep(random.between(20, 400));
      link.cut();
    }
    await changed;
    await copy.caughtUp();
    expect(await copy.verify()).toMatch(AGREES);
  });

  it('store while ClickHouse is away, and catch up when it is back', async () => {
    link.sever();
    const response = await api.store(Array.from({ length: 500 }, (_, n) => anEvent({ data: { n } })));
    expect(response.status).toBe(201);
    await sleep(2500);
    const [left] = await api.sql<{ events: number }>(
      'SELECT sum(events)::int AS events FROM replication_log',
    );
    expect(left?.events).toBeGreaterThanOrEqual(500);
    link.fix();
    await copy.caughtUp();
    expect(await copy.verify()).toMatch(AGREES);
    // Once an outage, not once an attempt.
    for (const worker of workers)
      expect(worker.output.split('Could not copy events to ClickHouse').length - 1).toBeLessThan(200);
  });

  it('continue the work of one that is frozen', async () => {
    const [first, second] = workers;
    first?.process.kill('SIGSTOP');
    await changes(api, 6, 8);
    await copy.caughtUp();
    first?.process.kill('SIGCONT');
    second?.process.kill('SIGSTOP');
    await changes(api, 8, 8);
    await copy.caughtUp();
    second?.process.kill('SIGCONT');
    expect(await copy.verify()).toMatch(AGREES);
  });
});

describe('A removal', () => {
  const COPY = '00000000-0000-4000-8000-000000000000';
  const ROWS = 30_000;
  let server: OwnClickHouse;
  let clickhouse: ClickHouse;
  let copies: CopyRepository;
  const at = (n: number): number => n * 1_000_000;
  const id = (n: number): string => `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`;
  const key = (n: number) => ({ id: id(n), timestamp: String(at(n)) });
  const line = (n: number, batch: number): string =>
    `${JSON.stringify({ id: id(n), timestamp: at(n), application: 'a', category: 'c', name: 'n', session_id: `s${n % 9000}`, data_text: '{"a": 1}', batch })}\n`;
  const one = async (sql: string): Promise<number> =>
    Number((await clickhouse.query<{ n: string }>(`SELECT ${sql}`))[0]?.n);
  const counts = async (): Promise<number[]> => [
    await one(`count() AS n FROM ${EVENTS} WHERE NOT ignore(data_text)`),
    await one(
      `sum(c) AS n FROM (SELECT ${QUARTER.number} AS p, application, category, count() AS c FROM ${EVENTS} GROUP BY ALL)`,
    ),
    await one(`sum(c) AS n FROM (SELECT session_id, count() AS c FROM ${EVENTS} GROUP BY session_id)`),
  ];
  /** Rows on the disk, removed ones included. */
  const rowsOnDisk = (): Promise<number> =>
    one(
      `sum(rows) AS n FROM system.parts WHERE database = currentDatabase() AND table = '${EVENTS}' AND active`,
    );
  beforeAll(async () => {
    server = await OwnClickHouse.start();
    clickhouse = new ClickHouse(`${server.url}?database=removals`);
    copies = new CopyRepository(clickhouse);
    await copies.create(EVENTS, { source: COPY, copy: COPY });
    const lines = Array.from({ length: ROWS }, (_, n) => line(n, 1)).join('');
    await copies.insert(EVENTS, COPY, '1', lines, false);
  });
  afterAll(async () => {
    await clickhouse.onApplicationShutdown();
    await server.close();
  });

  it('leaves every answer at once, and the disk when it is erased; what was stored again stays', async () => {
    expect(await copies.erasure()).toMatchObject({ parts: 0 });
    await copies.remove(EVENTS, '2', [key(1), key(2), key(29_999)]);
    await copies.insert(EVENTS, COPY, '3', line(2, 3), false);
    // As it arrives late, from a process that was frozen.
    await copies.remove(EVENTS, '2', [key(1), key(2), key(29_999)]);
    expect(await counts()).toEqual(Array(3).fill(ROWS - 2));
    expect(await rowsOnDisk()).toBe(ROWS + 1);
    expect(await copies.erasure()).toMatchObject({ parts: 1, isRunning: false });
    await copies.erase();
    await eventually(async () =>
      expect(await copies.erasure()).toMatchObject({ parts: 0, isRunning: false }),
    );
    expect(await rowsOnDisk()).toBe(ROWS - 2);
    expect(await counts()).toEqual(Array(3).fill(ROWS - 2));
  });

  it('stops an erasure, which is then begun again', async () => {
    await copies.remove(EVENTS, '4', [key(5)]);
    await copies.erase();
    await copies.stopErasing();
    await copies.remove(EVENTS, '5', [key(6)]);
    expect(await counts()).toEqual(Array(3).fill(ROWS - 4));
    await copies.erase();
    await eventually(async () =>
      expect(await copies.erasure()).toMatchObject({ parts: 0, isRunning: false }),
    );
    expect([await rowsOnDisk(), ...(await counts())]).toEqual(Array(4).fill(ROWS - 4));
  });
});

const missing = PgBouncer.unavailable();
if (missing !== undefined) console.warn(`Skipped: the copy behind PgBouncer: ${missing}.`);

(missing === undefined ? describe : describe.skip)(
  'The copy of a PostgreSQL behind PgBouncer in transaction mode',
  () => {
    let postgres: OwnPostgres;
    let bouncer: PgBouncer;
    let eye: TheEye;
    let copy: Copy;
    beforeAll(async () => {
      postgres = await OwnPostgres.start();
      bouncer = await PgBouncer.start(postgres, 8);
      eye = await startEyeWithClickHouse({ DATABASE_URL: bouncer.url });
      copy = new Copy(eye);
    });
    afterAll(async () => {
      await eye.close();
      await bouncer.close();
      await postgres.close();
    });

    it('is complete, also after PostgreSQL was killed', async () => {
      await copy.caughtUp();
      await changes(eye, 9, 10);
      const load = Load.on(eye);
      await load.waitForResponses(202, 50);
      await postgres.kill();
      await load.waitForResponses(202, 20);
      await postgres.start();
      await load.expectStored();
      await copy.caughtUp();
      expect(await copy.verify()).toMatch(AGREES);
    });
  },
);
