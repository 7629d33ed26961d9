import fc from 'fast-check';
import { isPermittedFunction } from '../../src/query/sandbox/functions.js';
import { Admin, bearer } from '../../testing/keys.js';
import { Random } from '../../testing/random.js';
import { anEvent, type EyeResponse, type TheEye } from '../../testing/the-eye.js';
import { REFUSED } from '../support/query-attacks.js';
import { mutatedStatements, namedStatements } from '../support/query-statements.js';
import { REFUSED_FUNCTIONS } from '../support/refused-functions.js';
import { Copy } from '../support/replication.js';
import { OwnClickHouse } from '../support/servers.js';
import { ANY_AGE, startEye } from '../support/start-eye.js';

const random = new Random(17);

/** In every text of the other application, none of which is a number. */
const SECRET = 'Sesame';

interface Sent {
  session_id: string;
  category: string;
  name: string;
  data: { path: string; price: number | null; tags: string[]; user: { plan: string } };
  timestamp: string;
}

const anOwnEvent = (): Sent => ({
  session_id: `${Math.floor(random.between(0, 30))}`,
  category: random.of(['1', '2']),
  name: random.of(['10', '20', '30']),
  data: {
    path: random.of(['/', '/shop', '/a/b']),
    price: random.chance(0.2) ? null : Math.floor(random.between(1, 50)) / 2,
    tags: ['x', 'y', 'z'].filter(() => random.chance(0.5)),
    user: { plan: random.of(['free', 'pro']) },
  },
  timestamp: new Date(Date.UTC(2026, 2, 1) + Math.floor(random.between(0, 5 * 86_400_000))).toISOString(),
});

const secretly = (event: Sent): object => ({
  ...event,
  session_id: `${SECRET} ${event.session_id}`,
  category: SECRET,
  name: `${SECRET} ${event.name}`,
  data: { ...event.data, path: SECRET, user: { plan: SECRET }, secret: SECRET },
});

/** Takes far longer than any query may. */
const ENDLESS = 'SELECT count() FROM events AS a, events AS b, events AS c, events AS d';

describe('POST /query/', () => {
  let eye: TheEye;
  let copy: Copy;
  let own: string;
  let sender: string;
  let clickhouse: OwnClickHouse;
  const sent = Array.from({ length: 400 }, anOwnEvent);

  beforeAll(async () => {
    // The attacks would take the memory and the turns of the other specs.
    clickhouse = await OwnClickHouse.start();
    const CLICKHOUSE_URL = `${clickhouse.url}?database=the_eye`;
    eye = await startEye({ ...ANY_AGE, QUERY_TIMEOUT: '2500', CLICKHOUSE_URL });
    copy = new Copy(eye);
    const admin = await Admin.of(eye);
    own = (await admin.create('own', { scope: 'read' })).key;
    sender = (await admin.create('own', { scope: 'ingest' })).key;
    const other = (await admin.create('other', { scope: 'ingest' })).key;
    const waiting = { prefer: 'wait=20' };
    // In turns, so that rows of both lie beside each other.
    for (let at = 0; at < sent.length; at += 100) {
      const events = sent.slice(at, at + 100);
      await eye.post('/events/', events, { ...bearer(sender), ...waiting });
      await eye.post('/events/', events.map(secretly), { ...bearer(other), ...waiting });
    }
    await copy.caughtUp();
  });
  afterAll(async () => {
    await eye.close();
    await clickhouse.close();
  });

  const post = (body: unknown, key: string = own): Promise<EyeResponse> =>
    eye.post('/query/', body, bearer(key));

  const rowsOf = async (sql: string, parameters: object = {}): Promise<unknown[][]> => {
    const { status, body } = await post({ sql, parameters });
    expect({ sql, status, errors: body.errors }).toEqual({ sql, status: 200, errors: undefined });
    return body.rows;
  };

  const countBy = (keyOf: (event: Sent) => unknown, events = sent): unknown[][] => {
    const counts = new Map<unknown, number>();
    for (const event of events) counts.set(keyOf(event), (counts.get(keyOf(event)) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  };

  it('answers with columns, rows, and up to when every event is in them', async () => {
    const { status, headers, body } = await post({ sql: 'SELECT count() AS n, min(name) FROM events' });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(body).toEqual({
      columns: [
        { name: 'n', type: 'UInt64' },
        { name: 'min(name)', type: 'String' },
      ],
      rows: [[sent.length, '10']],
      truncated: false,
      as_of: expect.stringMatching(/^\d{4}-.*Z$/),
      rows_read: null,
      elapsed_ms: expect.any(Number),
    });
  });

  it('answers as CSV and NDJSON, with all digits, and says in headers what else there is to say', async () => {
    const sql = `SELECT name, count() AS n, 18446744073709551615 AS big, toDecimal64(-1.5, 2) AS decimal, -inf AS low,
      '=1+"1",\n' AS text, [toUInt64(9007199254740993)] AS list, NULL AS nothing FROM events GROUP BY name ORDER BY name`;
    const counts = countBy(({ name }) => name);
    const csv = await post({ sql, format: 'csv' });
    expect([csv.status, csv.headers.get('content-type'), csv.headers.get('x-truncated')]).toEqual([
      200,
      'text/csv; charset=utf-8',
      'false',
    ]);
    expect(csv.headers.get('x-as-of')).toMatch(/^\d{4}-.*Z$/);
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="query.csv"');
    // fetch() has removed the byte order mark.
    expect(csv.body).toBe(
      ['name,n,big,decimal,low,text,list,nothing']
        .concat(
          counts.map(
            (row) => `${row.join()},18446744073709551615,-1.5,-inf,"'=1+""1"",\n",[9007199254740993],`,
          ),
        )
        .map((line) => `${line}\r\n`)
        .join(''),
    );
    const lines = await post({ sql, format: 'ndjson' });
    expect([lines.status, lines.headers.get('content-type')]).toEqual([
      200,
      'application/x-ndjson; charset=utf-8',
    ]);
    expect(lines.body).toBe(
      counts
        .map(
          ([name, n]) =>
            `{"name":"${name as string}","n":${n as number},"big":18446744073709551615,"decimal":"-1.5","low":"-inf","text":"=1+\\"1\\",\\n",` +
            `"list":[9007199254740993],"nothing":null}\n`,
        )
        .join(''),
    );
  });

  it('writes at most 10,000 rows into a file, and says that there are more', async () => {
    const sql = 'SELECT a.number FROM (SELECT arrayJoin(range(10001)) AS number) AS a';
    for (const format of ['csv', 'ndjson']) {
      const { status, headers, body } = await post({ sql, format });
      expect([status, headers.get('x-truncated')]).toEqual([200, 'true']);
      expect(body.trimEnd().split('\n')).toHaveLength(format === 'csv' ? 10_001 : 10_000);
    }
    const wrong = await post({ sql, format: 'xml' });
    expect([wrong.status, wrong.body.errors]).toEqual([400, { format: ['Must be json, csv or ndjson.'] }]);
    const missing = await post({ sql: 'SELECT nothing FROM events', format: 'csv' });
    expect([missing.status, Object.keys(missing.body.errors)]).toEqual([400, ['sql']]);
  });

  it('groups, filters, joins, and reads what is inside `data`', async () => {
    expect(await rowsOf('SELECT name, count() FROM events GROUP BY name ORDER BY name')).toEqual(
      countBy(({ name }) => name),
    );
    expect(
      await rowsOf(
        'SELECT e.data.user.plan AS plan, count(*) FROM events AS e GROUP BY plan ORDER BY toString(plan)',
      ),
    ).toEqual(countBy(({ data }) => data.user.plan));
    const tags = sent.flatMap((event) => event.data.tags.map(() => event));
    expect(
      await rowsOf(
        'SELECT arrayJoin(data.tags.:`Array(Nullable(String))`) AS tag, count() FROM events GROUP BY tag ORDER BY tag',
      ),
    ).toEqual(countBy((tag) => tag, sent.flatMap((event) => event.data.tags) as never));
    expect(tags.length).toBeGreaterThan(100);
    const prices = sent.flatMap(({ data }) => data.price ?? []);
    expect(
      await rowsOf(
        `SELECT sum(accurateCastOrNull(data.price, 'Float64')), countIf(data.price > 10) FROM events`,
      ),
    ).toEqual([[prices.reduce((sum, price) => sum + price, 0), prices.filter((price) => price > 10).length]]);
    const sessions = new Set(sent.filter(({ name }) => name === '10').map(({ session_id }) => session_id));
    const expected = sent.filter(({ session_id }) => sessions.has(session_id)).length;
    for (const sql of [
      `SELECT count() FROM events WHERE session_id IN (SELECT session_id FROM events WHERE name = '10')`,
      `WITH s AS (SELECT DISTINCT session_id FROM events WHERE name = {name:String}) SELECT count() FROM events AS e JOIN s USING (session_id)`,
      `WITH events AS (SELECT * FROM events), s AS (SELECT session_id FROM events WHERE name = '10' GROUP BY 1)
       SELECT count() FROM events WHERE EXISTS (SELECT 1 FROM s WHERE s.session_id = events.session_id)`,
    ])
      expect(await rowsOf(sql, { name: '10' })).toEqual([[expected]]);
    const first = await rowsOf(
      `SELECT session_id, row_number() OVER (PARTITION BY session_id ORDER BY timestamp) AS n, timestamp
       FROM events QUALIFY n = 1 ORDER BY session_id LIMIT 1`,
    );
    const oldest = sent.filter(({ session_id }) => session_id === '0').map(({ timestamp }) => timestamp);
    expect(first).toEqual([['0', 1, oldest.sort()[0]?.replace('T', ' ').replace('Z', '000')]]);
  });

  it('finds what a filter in JavaScript finds, for random conditions', async () => {
    const day = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(
        day,
        day,
        fc.constantFrom('/', '/shop', "'"),
        fc.double({ min: 0, max: 25, noNaN: true }),
        async (a, b, path, price) => {
          const [from, to] = [
            `2026-03-0${Math.min(a, b)}T00:00:00.000Z`,
            `2026-03-0${Math.max(a, b)}T00:00:00.000Z`,
          ];
          const expected = sent.filter(
            ({ timestamp, data }) =>
              timestamp >= from && timestamp < to && (data.path === path || (data.price ?? 0) > price),
          );
          const sql = `SELECT count() FROM events WHERE timestamp >= {from:DateTime64(6)} AND timestamp < {to:DateTime64(6)}
          AND (data.path = {path:String} OR data.price > {price:Float64})`;
          const bound = (time: string): string => time.slice(0, 19).replace('T', ' ');
          const parameters = { from: bound(from), to: bound(to), path, price };
          expect(await rowsOf(sql, parameters)).toEqual([[expected.length]]);
        },
      ),
      { numRuns: 10 },
    );
  });

  it('keeps every digit of a number, and what is no number in JSON', async () => {
    const response = await fetch(new URL('/query/', eye.url), {
      method: 'POST',
      headers: { ...bearer(own), 'content-type': 'application/json' },
      body: JSON.stringify({
        sql: `SELECT 18446744073709551615, -9223372036854775808::Int64, nan, -inf, 1.10::Decimal(9, 2), -0., unhex('ff'), '/\n"]\t', NULL,
              toInt256('-170141183460469231731687303715884105729')`,
      }),
    });
    expect(await response.text()).toContain(
      `"rows":[[18446744073709551615, -9223372036854775808, "nan", "-inf", "1.1", -0, "\uFFFD", "/\\n\\"]\\t", null, -170141183460469231731687303715884105729]]`,
    );
  });

  it('cuts an answer after 10,000 rows, and says so', async () => {
    const { body } = await post({ sql: 'SELECT arrayJoin(range(10001)) AS x ORDER BY x DESC' });
    expect([body.rows.length, body.rows[0], body.truncated]).toEqual([10_000, [10_000], true]);
    const { body: whole } = await post({ sql: 'SELECT arrayJoin(range(10000))' });
    expect([whole.rows.length, whole.truncated]).toEqual([10_000, false]);
  });

  it('shows timestamps beyond DateTime64 at its ends, and exactly as microseconds', async () => {
    const old = anEvent({ session_id: 'old', timestamp: '0500-01-01T00:00:00.000001Z' });
    await eye.post('/events/', old, { ...bearer(sender), prefer: 'wait=20' });
    await copy.caughtUp();
    const sql = `SELECT timestamp, timestamp_micros FROM events WHERE session_id = 'old' AND timestamp < '1950-01-01'`;
    const micros = Date.parse('0500-01-01T00:00:00.000Z') * 1000 + 1;
    expect(await rowsOf(sql)).toEqual([['1900-01-01 00:00:00.000000', micros]]);
    await eye.sql(`DELETE FROM events WHERE session_id = 'old'`);
    await copy.caughtUp();
    expect(await rowsOf(sql)).toEqual([]);
  });

  it('answers a key for all applications about all of them, or about one', async () => {
    const all = await eye.post('/query/', {
      sql: 'SELECT application, count() FROM events GROUP BY 1 ORDER BY 1',
    });
    expect(all.body.rows).toEqual([
      ['other', sent.length],
      ['own', sent.length],
    ]);
    expect(all.body.rows_read).toBeGreaterThan(0);
    const one = await eye.post('/query/', {
      sql: 'SELECT DISTINCT application FROM events',
      application: 'other',
    });
    expect(one.body.rows).toEqual([['other']]);
    const nobody = await eye.post('/query/', { sql: 'SELECT count() FROM events', application: 'nobody' });
    expect(nobody.body.rows).toEqual([[0]]);
    expect((await post({ sql: 'SELECT 1', application: 'own' })).status).toBe(200);
    expect((await post({ sql: 'SELECT 1', application: 'other' })).status).toBe(403);
    expect((await post({ sql: 'SELECT 1' }, sender)).status).toBe(403);
  });

  it('refuses what reaches beyond the events, by name', async () => {
    const wrong: unknown[] = [];
    const attack = async ([template, message]: (typeof REFUSED)[number]): Promise<void> => {
      const sql = template.replaceAll('{db}', copy.database);
      const { status, body } = await post({ sql, parameters: { table: 'events' } });
      const text = JSON.stringify(body);
      const [said] = body.errors?.sql ?? [];
      const isSilent = !new RegExp(`${SECRET}|/tmp/(?!the-eye-attack)|events_|in scope`).test(text);
      if (status !== 400 || !message.test(said) || !isSilent) wrong.push({ sql, status, text });
    };
    for (let at = 0; at < REFUSED.length; at += 4) await Promise.all(REFUSED.slice(at, at + 4).map(attack));
    expect(wrong).toEqual([]);
  });

  it.each([
    ['no SQL', {}, 'sql', /required/],
    ['blank SQL', { sql: ' ' }, 'sql', /Must be a SELECT/],
    ['long SQL', { sql: `SELECT ${'1'.repeat(20_000)}` }, 'sql', /20,000/],
    [
      'a placeholder without a value',
      { sql: 'SELECT {a:String}' },
      'parameters',
      /\{a:String\} needs a value/,
    ],
    ['a placeholder of The Eye', { sql: 'SELECT {_application:String}' }, 'parameters', /needs a value/],
    [
      'a value for a placeholder of The Eye',
      { sql: 'SELECT 1', parameters: { _application: 'other' } },
      'parameters',
      /"_application"/,
    ],
    [
      'a value that is an object',
      { sql: 'SELECT 1', parameters: { a: {} } },
      'parameters',
      /a must be a text/,
    ],
    ['values that are no object', { sql: 'SELECT 1', parameters: [] }, 'parameters', /object/],
    ['no values', { sql: 'SELECT {a:String}', parameters: null }, 'parameters', /object/],
    ['no application', { sql: 'SELECT 1', application: null }, 'application', /name/],
    [
      'a value that does not fit its placeholder',
      { sql: 'SELECT {a:UInt8}', parameters: { a: 'x' } },
      'sql',
      /./,
    ],
    ['a wrong application', { sql: 'SELECT 1', application: 'O' }, 'application', /name of an application/],
    ['an unknown field', { sql: 'SELECT 1', formats: 'csv' }, 'formats', /Unknown field/],
    ['an unknown format', { sql: 'SELECT 1', format: 'CSV' }, 'format', /^Must be json, csv or ndjson\.$/],
    [
      'a text that is no number',
      { sql: 'SELECT toFloat64(data.path) FROM events' },
      'sql',
      /Cannot read floating point value/,
    ],
    [
      'an unknown column',
      { sql: 'SELECT nothing FROM events' },
      'sql',
      /^Unknown expression identifier `nothing` \(UNKNOWN_IDENTIFIER\)$/,
    ],
    ['a sum of texts', { sql: 'SELECT sum(name) FROM events' }, 'sql', /Illegal type/],
    ['many parentheses', { sql: `SELECT ${'('.repeat(9000)}1${')'.repeat(9000)}` }, 'sql', /parse depth/],
    ['a long sum', { sql: `SELECT 1${'+1'.repeat(9000)}` }, 'sql', /too deep/],
    ['many casts', { sql: `SELECT x${'::Int'.repeat(3000)}` }, 'sql', /too deep/],
    ['many conditions', { sql: `SELECT a${' ? 1 : a'.repeat(2000)}` }, 'sql', /./],
    [
      'aliases that grow exponentially',
      {
        sql: `WITH 1 AS a0, ${Array.from({ length: 40 }, (_, i) => `(a${i}, a${i}, a${i}) AS a${i + 1}`).join(', ')} SELECT a40`,
      },
      'sql',
      /./,
    ],
  ])('refuses %s', async (_, sent, field, message) => {
    const { status, body } = await post(sent);
    expect({ status, errors: Object.keys(body.errors ?? {}) }).toEqual({ status: 400, errors: [field] });
    expect(body.errors[field]).toEqual([expect.stringMatching(message)]);
  });

  it('lets no expression see a row of another application, not even to fail at it', async () => {
    for (const condition of [
      'toFloat64(name) > 0',
      `intDiv(1, application = 'own') = 1`,
      `NOT (timestamp > '2020-01-01' AND toUInt64(session_id) > 99999)`,
    ]) {
      for (const sql of [
        `SELECT count() FROM events WHERE ${condition}`,
        `SELECT count() FROM (SELECT *, ${condition} AS c FROM events) WHERE c`,
        `SELECT count() FROM events AS a ANY INNER JOIN events AS b ON a.id = b.id AND a.application = b.application WHERE ${condition.replace(/\b(name|session_id|category|application|timestamp)\b/g, 'b.$1')}`,
        `SELECT countIf(${condition}) FROM events`,
        `SELECT count() FROM events GROUP BY ALL HAVING max(${condition})`,
        `WITH x AS (SELECT * FROM events WHERE ${condition}) SELECT count() FROM x WHERE id IN (SELECT id FROM events WHERE ${condition})`,
      ])
        expect([sql, await rowsOf(sql)]).toEqual([sql, [[sent.length]]]);
    }
    expect(await rowsOf(`SELECT DISTINCT application FROM events WHERE application != 'own' OR 1`)).toEqual([
      ['own'],
    ]);
    // Names of the statement mean nothing inside of `events`.
    for (const sql of [
      `WITH 'other' AS application SELECT count() FROM events`,
      `WITH 'own' AS application, 1 AS timestamp SELECT (SELECT count() FROM events)`,
      `SELECT arrayMap(application -> (SELECT count() FROM events), ['own'])[1]`,
      `SELECT count() FROM (SELECT 'own' AS application) AS copied CROSS JOIN events`,
      `SELECT count() FROM (SELECT 'own' AS application) AS ${copy.database} CROSS JOIN events`,
      `WITH copied AS (SELECT 'own' AS application) SELECT count() FROM copied CROSS JOIN events`,
      `WITH ${copy.database} AS (SELECT 'own' AS application) SELECT count() FROM ${copy.database} CROSS JOIN events`,
    ])
      expect([sql, await rowsOf(sql)]).toEqual([sql, [[sent.length]]]);
    for (const paths of [
      'distinctJSONPaths(data)',
      'groupUniqArrayArray(JSONDynamicPaths(data))',
      'groupUniqArrayArray(JSONSharedDataPaths(data))',
    ])
      expect(JSON.stringify(await rowsOf(`SELECT ${paths} FROM events`))).not.toContain('secret');
    expect(
      await rowsOf(`SELECT countIf(isNotNull(data.secret)), groupUniqArray(application) FROM events`),
    ).toEqual([[0, ['own']]]);
  });

  it('shows no row of another application whatever names a statement gives', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(namedStatements(copy.database), async (sql) => {
        const { status, body } = await post({ sql });
        expect([200, 400, 422]).toContain(status);
        expect(JSON.stringify(body)).not.toMatch(new RegExp(`${SECRET}|"other"`));
        if (status === 200) answered++;
      }),
      { numRuns: 30 },
    );
    expect(answered).toBeGreaterThan(5);
  });

  it('shows no row of another application for mutations of permitted statements', async () => {
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(mutatedStatements(copy.database), async (sql) => {
        const { status, body } = await post({ sql });
        expect([200, 400, 422]).toContain(status);
        expect(JSON.stringify(body)).not.toContain(SECRET);
        if (status === 200) answered++;
      }),
      { numRuns: 30 },
    );
    expect(answered).toBeGreaterThan(1);
  });

  it.each([
    ['time', ENDLESS, /max_execution_time/],
    [
      'memory',
      'SELECT groupArray(a.data_text || b.data_text) FROM events AS a, events AS b, events AS c',
      /max_memory_usage|max_execution_time/,
    ],
    [
      'memory of one value',
      `SELECT length(arrayMap(x -> repeat('x', 1000), range(1000000)))`,
      /max_memory_usage/,
    ],
    [
      'bytes of an answer',
      `SELECT repeat('x', 9000 + x % 2) FROM (SELECT arrayJoin(range(2500)) AS x)`,
      /max_result_bytes/,
    ],
  ])('bounds the %s of a query', async (_, sql, message) => {
    const { status, body, took } = await post({ sql });
    expect({ status, code: body.code }).toEqual({ status: 422, code: 'question_too_large' });
    expect(body.detail).toMatch(message);
    expect(took).toBeLessThan(6000);
  });

  it('keeps its connection while it takes longer than a request may take to arrive', async () => {
    const timeouts = { QUERY_TIMEOUT: '2500', REQUEST_TIMEOUT: '1000', WAIT_LIMIT: '0' };
    const api = await eye.startPeer({ ...timeouts, ROLE: 'api' });
    try {
      const { status, took } = await api.post('/query/', { sql: ENDLESS });
      expect(status).toBe(422);
      expect(took).toBeGreaterThan(1000);
    } finally {
      await api.end();
    }
  });

  it('knows every function of ClickHouse, as one that is permitted or one that is refused', async () => {
    const names = (await copy.ask('SELECT name FROM system.functions')).trim().split('\n');
    const refused = new Set(Object.values(REFUSED_FUNCTIONS).flatMap((list) => list.trim().split(/\s+/)));
    expect(names.length).toBeGreaterThan(1500);
    expect(names.filter((name) => isPermittedFunction(name) === refused.has(name))).toEqual([]);
  });
});
