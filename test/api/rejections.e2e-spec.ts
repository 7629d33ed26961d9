import { RejectionsRepository } from '../../src/rejections/rejections.repository.js';
import { RejectionsService } from '../../src/rejections/rejections.service.js';
import { Load } from '../support/load.js';
import { RecordingSql } from '../support/recording-sql.js';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, type EyeResponse, eventually, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const UNSAMPLED = { REJECTIONS_SAMPLE: '10000' };

/** A client of the rejection routes of one Eye. */
function rejectionsClient(eye: () => TheEye) {
  const list = async (query = ''): Promise<any> => {
    const { status, body } = await eye().get(`/rejections/${query}`);
    expect({ status, body }).toEqual({ status: 200, body: expect.anything() });
    return body;
  };
  /** The matching rejections, once there are `count`: they are written shortly after the response. */
  const listed = (count: number, query = '?page_size=1000'): Promise<any[]> =>
    eventually(async () => {
      const page = await list(query);
      expect(page.count).toBe(count);
      return page.results;
    });
  const total = async (query = ''): Promise<number> => {
    const { status, body } = await eye().get(`/rejections/summary/${query}`);
    expect(status).toBe(200);
    expect(body.results.reduce((sum: number, { count }: any) => sum + count, 0)).toBe(body.total);
    return body.total;
  };
  const retry = (id: string): Promise<EyeResponse> => eye().post(`/rejections/${id}/retry/`, '');
  const retryAll = async (query = ''): Promise<any> => {
    const { status, body } = await eye().post(`/rejections/retry/${query}`, '');
    expect({ status, body }).toEqual({ status: 200, body: expect.anything() });
    return body;
  };
  return { list, listed, total, retry, retryAll };
}

describe('Rejections', () => {
  let eye: TheEye;
  const { list, listed, total, retry, retryAll } = rejectionsClient(() => eye);
  beforeAll(async () => void (eye = await startEye({ ...UNSAMPLED, BODY_LIMIT: '100000' })));
  afterAll(() => eye.close());

  const nameless = { session_id: 's', category: 'c' };
  const nestedArrays = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const withData = (data: string): string => `{"session_id":"s","category":"c","name":"n","data":${data}}`;
  const inAnHour = new Date(Date.now() + 3_600_000).toISOString();

  describe('GET /rejections with every code', () => {
    it.each<[string, string, unknown]>([
      ['missing_field', 'name', nameless],
      ['wrong_type', 'name', anEvent({ name: 7 })],
      ['wrong_type', 'event', ['an array in an array']],
      ['wrong_type', 'event', null],
      ['wrong_type', 'event', 'text'],
      ['unknown_field', '__proto__', JSON.parse(JSON.stringify(anEvent()).replace('{', '{"__proto__":1,'))],
      ['empty', 'category', anEvent({ category: '' })],
      ['too_long', 'session_id', anEvent({ session_id: 'x'.repeat(256) })],
      ['not_storable', 'data.text', anEvent({ data: { text: 'half \ud83d, none \0' } })],
      ['not_storable', 'session_id', anEvent({ session_id: 'half \ud83d, none \0' })],
      ['invalid_timestamp', 'timestamp', anEvent({ timestamp: '2021-02-30T00:00:00Z' })],
      ['timestamp_in_future', 'timestamp', anEvent({ timestamp: inAnHour })],
    ])('returns a rejected event with the code %s for the field %s', async (code, field, event) => {
      for (const [sent, headers] of [
        [[event, anEvent()], {}],
        [`${JSON.stringify(anEvent())}\n${JSON.stringify(event)}\n`, NDJSON],
      ] as [unknown, Record<string, string>][]) {
        const [before] = (await list(`?code=${code}&page_size=1`)).results;
        const { body } = await eye.post('/events/', sent, headers);
        const newest = await eventually(async () => {
          const [first] = (await list(`?code=${code}&page_size=1`)).results;
          expect(first?.id).not.toBe(before?.id);
          return first;
        });
        const text = (value: unknown): unknown =>
          typeof value === 'string' ? value.toWellFormed().replaceAll('\0', '\ufffd').slice(0, 255) : null;
        const fields = (event ?? {}) as Record<string, unknown>;
        expect(newest).toEqual({
          id: expect.any(String),
          event_id: null,
          application: 'default',
          outcome: 'refused',
          code,
          errors: body.rejected[0].errors,
          event,
          whole: true,
          session_id: text(fields['session_id']),
          category: text(fields['category']),
          name: text(fields['name']),
          dialect: null,
          rejected_at: expect.stringMatching(TIME),
        });
        expect(Object.keys(newest.errors)).toEqual([field]);
        expect((await eye.get(`/rejections/${newest.id}/`)).body).toEqual(newest);
      }
    });

    it.each<[string, string, string]>([
      ['not_exact', 'data.id', withData('{"id": 12345678901234567890}')],
      ['not_exact', 'data.twice', withData('{"twice": 1, "twice": 2}')],
      ['too_deep', 'data', withData(`{"deep": ${nestedArrays(5000)}}`)],
    ])(
      'returns the original text of an event with the code %s for the field %s',
      async (code, field, text) => {
        const before = (await list(`?code=${code}`)).count;
        await eye.post('/events/', text);
        await eye.post('/events/', `[ ${JSON.stringify(anEvent())} , ${text} ]`);
        await eye.post('/events/', `${text}\n`, NDJSON);
        for (const { event, errors, whole } of (await listed(before + 3, `?code=${code}`)).slice(0, 3)) {
          expect({ event, errors, whole }).toEqual({
            event: text,
            errors: { [field]: [expect.any(String)] },
            whole: true,
          });
        }
      },
    );

    it('returns the text of malformed JSON', async () => {
      await eye.post('/events/', '{"half": "an event\u0000');
      await eye.post('/events/', `${JSON.stringify(anEvent())}\nno event\n`, NDJSON);
      const [line, body] = await listed(2, '?code=malformed_json');
      expect(body).toMatchObject({ event: '{"half": "an event\u0000', whole: true, name: null });
      expect(line).toMatchObject({ event: 'no event', errors: { event: [expect.stringContaining('JSON')] } });
    });

    it('returns rejected and observed payload mismatches, which a retry accepts once the schema is fixed', async () => {
      const put = async (mode: string, schema: unknown): Promise<void> => {
        const body = JSON.stringify({ mode, schema });
        const headers = { 'content-type': 'application/json' };
        const { status } = await eye.request('PUT', '/event-types/newsletter/subscribe/', { body, headers });
        expect([200, 201]).toContain(status);
      };
      const event = (data: unknown): any => anEvent({ category: 'newsletter', name: 'subscribe', data });
      await put('enforce', { properties: { email: { type: 'string' } }, required: ['email'] });
      const response = await eye.post('/events/', event({ email: 42 }));
      expect([response.status, response.body.errors]).toEqual([
        400,
        { 'data.email': ['must be string, not 42'] },
      ]);
      await put('observe', { required: ['email'] });
      const observed = event({ mail: 'a@b.example' });
      expect((await eye.store(observed)).body.session_id).toBe(observed.session_id);
      const [observation, refused] = await listed(2, '?code=payload_mismatch');
      expect(observation).toMatchObject({ outcome: 'observed', errors: { 'data.email': ['is required'] } });
      expect(refused).toMatchObject({ outcome: 'refused', errors: response.body.errors });

      await put('enforce', {});
      const { retried, accepted } = await retryAll('?code=payload_mismatch');
      expect({ retried, accepted }).toEqual({ retried: 2, accepted: 2 });
      await listed(0, '?code=payload_mismatch');
      await eye.drained();
      expect((await eye.get('/events/?category=newsletter')).body.count).toBe(2);
    });

    it('returns events of unknown types that UNKNOWN_TYPES=refuse rejected', async () => {
      const strict = await eye.startPeer({ UNKNOWN_TYPES: 'refuse' });
      expect((await strict.post('/events/', anEvent({ category: 'never registered' }))).status).toBe(400);
      const [rejection] = await listed(1, '?code=unknown_type');
      expect(rejection).toMatchObject({ outcome: 'refused', category: 'never registered' });
      await strict.end();
      // The other process accepts unknown types.
      expect(await retryAll('?code=unknown_type')).toMatchObject({ retried: 1, accepted: 1 });
    });

    it('returns oversized events, arrays, lines and bodies, truncated or without content', async () => {
      const large = anEvent({ data: { text: 'x'.repeat(70_000) } });
      await eye.post('/events/', large);
      const [truncated] = await listed(1, '?code=too_large');
      expect(truncated).toMatchObject({
        whole: false,
        category: large.category,
        errors: { data: [expect.any(String)] },
      });
      expect(truncated.event).toBe(JSON.stringify(large).slice(0, 16_384));

      expect((await eye.post('/events/', 'x'.repeat(100_001))).status).toBe(413);
      expect((await eye.post('/events/', 'x'.repeat(100_001), NDJSON)).status).toBe(413);
      expect((await eye.post('/events/', `[${'1,'.repeat(5000)}1]`)).status).toBe(413);
      const [many, lines, body] = await listed(4, '?code=too_large');
      for (const rejection of [many, lines, body])
        expect(rejection).toMatchObject({ event: null, whole: false, application: 'default', name: null });
      expect(many.errors.body).toEqual([expect.stringContaining('5,000 events')]);
      expect(body.errors.body).toEqual([expect.stringContaining('100,000 bytes')]);
    });

    it('returns bodies and lines that could not be read, so that a sender that is set up wrongly is visible', async () => {
      const invalid = Buffer.from('{"name":"\xff"}', 'latin1');
      await eye.post('/events/', anEvent(), { 'content-type': 'text/plain' });
      await eye.post('/events/', invalid);
      await eye.post(
        '/events/',
        Buffer.concat([Buffer.from(`${JSON.stringify(anEvent())}\n`), invalid]),
        NDJSON,
      );
      const [format] = await listed(1, '?code=unsupported_media_type');
      expect(format).toMatchObject({
        event: null,
        application: 'default',
        errors: { body: [expect.any(String)] },
      });
      const [line, body] = await listed(2, '?code=not_utf8');
      expect(body).toMatchObject({ event: null, errors: { body: ['The body is not valid UTF-8.'] } });
      // What it was is lost, so it must not be sent again.
      expect(line).toMatchObject({ event: '{"name":"\uFFFD"}', whole: false });
      expect((await retry(line.id)).body.code).toBe('event_cut');
    });

    it('contains neither accepted events nor requests without an event', async () => {
      const before = await total();
      await eye.store(anEvent());
      await eye.post('/events/', '');
      await eye.post('/rejections/retry/?code=empty', 'x'.repeat(100_001));
      await eye.get('/events/?page=x');
      await eye.post('/events/', anEvent({ name: '' }));
      await eventually(async () => expect(await total()).toBe(before + 1));
    });
  });

  it.each([
    ['GET', '/rejections/0176bd3b-005b-80ee-8ee4-da401add9c02/'],
    ['GET', '/rejections/nonsense/'],
    ['POST', '/rejections/0176bd3b-005b-80ee-8ee4-da401add9c02/retry/'],
    ['POST', '/rejections/nonsense/retry/'],
  ])('%s %s returns 404 for an unknown id', async (method, path) => {
    const { status, body, headers } = await eye.request(method, path);
    expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' });
    expect(headers.get('content-type')).toMatch('application/problem+json');
  });

  it('POST /rejections/retry does not retry truncated or missing events, one or many', async () => {
    const { count, results } = await list('?code=too_large');
    expect(count).toBe(4);
    for (const { id } of results) {
      const { status, body } = await retry(id);
      expect({ status, code: body.code }).toEqual({ status: 409, code: 'event_cut' });
    }
    expect(await retryAll('?code=too_large')).toEqual({
      retried: 0,
      accepted: 0,
      refused: 0,
      left_out: 4,
      more: false,
      next: null,
    });
    expect((await list('?code=too_large')).count).toBe(4);
  });

  it('POST /rejections/retry leaves a rejection unchanged and counted once when the event is rejected again', async () => {
    const [before, countBefore] = [await list('?page_size=1000'), await total()];
    const whole = before.results.filter((rejection: any) => rejection.whole);
    const one = whole.find(({ code }: any) => code === 'missing_field');
    const { status, body } = await retry(one.id);
    expect({ status, code: body.code }).toEqual({ status: 409, code: 'still_refused' });
    expect(body.errors).toEqual(one.errors);
    expect(await retryAll()).toMatchObject({ retried: whole.length, accepted: 0, refused: whole.length });
    // What is recorded later is written later, so that nothing is on its way any more once this is there.
    await eye.post('/events/', anEvent({ name: '' }));
    await eventually(async () => expect(await total()).toBe(countBefore + 1));
    expect((await list('?page_size=1000')).results.slice(1)).toEqual(before.results);
  });
});

describe('GET /rejections', () => {
  let eye: TheEye;
  const { list, listed } = rejectionsClient(() => eye);
  const categories = ['click', 'form interaction'];
  const names = ['pageview', 'submit', 'cta'];
  const invalidFields = [{ data: 7 }, { timestamp: 'soon' }, { unknown: true }];
  const sent = Array.from({ length: 60 }, (_, n) =>
    anEvent({
      session_id: `s-${n % 5}`,
      category: categories[n % 2],
      name: names[n % 3],
      ...invalidFields[n % 3],
      n: 1,
    }),
  );
  let all: any[];
  beforeAll(async () => {
    // Some of its rejections are of 2024.
    eye = await startEye({ ...UNSAMPLED, REJECTIONS_KEEP: '3650' });
    for (let start = 0; start < sent.length; start += 10) {
      await eye.post('/events/', sent.slice(start, start + 10));
    }
    all = await listed(60);
  });
  afterAll(() => eye.close());

  it('returns the newest or the oldest rejections first', async () => {
    expect(all.map(({ id }) => id)).toEqual(
      [...all]
        .sort((a, b) => `${b.rejected_at}${b.id}`.localeCompare(`${a.rejected_at}${a.id}`))
        .map(({ id }) => id),
    );
    expect((await list('?ordering=rejected_at&page_size=1000')).results).toEqual([...all].reverse());
  });

  it.each<[Record<string, string>, (rejection: any) => boolean]>([
    [{ code: 'unknown_field' }, ({ code }) => code === 'unknown_field'],
    [{ code: 'wrong_type' }, ({ code }) => code === 'wrong_type'],
    [{ application: 'default' }, () => true],
    [{ application: 'none' }, () => false],
    [{ session_id: 's-3' }, ({ session_id }) => session_id === 's-3'],
    [{ category: 'click' }, ({ category }) => category === 'click'],
    [{ name: 'cta' }, ({ name }) => name === 'cta'],
    [{ category: 'click', name: 'cta' }, ({ category, name }) => category === 'click' && name === 'cta'],
    [{ outcome: 'refused', name: 'cta' }, ({ name }) => name === 'cta'],
    [{ outcome: 'set_aside' }, () => false],
    [
      { session_id: 's-3', code: 'wrong_type', category: 'click' },
      (r) => r.session_id === 's-3' && r.code === 'wrong_type' && r.category === 'click',
    ],
  ])('filters by %j', async (filter, matches) => {
    const { count, results } = await list(
      `?${new URLSearchParams({ ...filter, page_size: '1000' }).toString()}`,
    );
    expect(results).toEqual(all.filter(matches));
    expect(count).toBe(results.length);
  });

  it('filters by time, with both bounds inclusive', async () => {
    const [to, from] = [all[10].rejected_at, all[40].rejected_at];
    const within = all.filter(({ rejected_at }) => rejected_at >= from && rejected_at <= to);
    expect(within.length).toBeLessThan(60);
    const query = `?page_size=1000&rejected_after=${from}&rejected_before=${to}`;
    expect((await list(query)).results).toEqual(within);
  });

  it.each(['', 'category=click&', 'code=unknown_field&ordering=rejected_at&', 'session_id=s-1&'])(
    'pages forwards and backwards by its links: ?%s',
    async (query) => {
      const whole = (await list(`?${query}page_size=1000`)).results;
      const forwards: any[] = [];
      let page = await list(`?${query}page_size=7`);
      for (;;) {
        forwards.push(...page.results);
        if (page.next === null) break;
        page = (await eye.get(page.next)).body;
      }
      expect(forwards).toEqual(whole);
      const backwards = [...page.results];
      while (page.previous !== null) {
        page = (await eye.get(page.previous)).body;
        backwards.unshift(...page.results);
      }
      expect(backwards).toEqual(whole);
      expect((await list(`?${query}page_size=7&page=2`)).results).toEqual(whole.slice(7, 14));
    },
  );

  it.each([
    ['code=nonsense', 'code'],
    ['outcome=lost', 'outcome'],
    ['rejected_after=yesterday', 'rejected_after'],
    ['ordering=timestamp', 'ordering'],
    ['page_size=1001', 'page_size'],
    ['page=1002', 'page'],
    ['cursor=nonsense', 'cursor'],
    ['after=0176bd3b-005b-80ee-8ee4-da401add9c02', 'after'],
    ['session_id=a&session_id=b', 'session_id'],
  ])('names the invalid parameter of ?%s', async (query, parameter) => {
    const { status, body } = await eye.get(`/rejections/?${query}`);
    expect({ status, errors: Object.keys(body.errors) }).toEqual({ status: 400, errors: [parameter] });
  });

  it('rejects a modified cursor and a cursor of another query', async () => {
    const cursor = new URL((await list('?category=click&page_size=1')).next).searchParams.get('cursor') ?? '';
    expect((await eye.get(`/rejections/?category=click&cursor=${cursor}`)).status).toBe(200);
    const changed = `${cursor.slice(0, 30)}${cursor[30] === 'A' ? 'B' : 'A'}${cursor.slice(31)}`;
    for (const query of [
      `category=click&cursor=${changed}`,
      `category=clack&cursor=${cursor}`,
      `cursor=${cursor}`,
    ]) {
      const { status, body } = await eye.get(`/rejections/?${query}`);
      expect({ status, errors: Object.keys(body.errors) }).toEqual({ status: 400, errors: ['cursor'] });
    }
  });

  describe('with 100,000 rejections', () => {
    let sql: RecordingSql;
    let service: RejectionsService;
    beforeAll(async () => {
      await eye.sql(`
        INSERT INTO rejections (id, application, code, errors, event, whole, outcome, session_id, category, name, rejected_at)
        SELECT (lpad(to_hex(n), 8, '0') || '-0000-8000-8000-000000000000')::uuid, 'app-' || n % 3, CASE n % 1000 WHEN 0 THEN 'empty' ELSE 'too_long' END, '{}', '{}', true,
          CASE n % 1000 WHEN 1 THEN 'observed' ELSE 'refused' END, 'many-' || n % 5000, 'category-' || n % 7, 'name-' || n % 11,
          timestamptz '2024-01-01' + n * interval '1 minute'
        FROM generate_series(1, 100000) AS n`);
      await eye.sql('VACUUM ANALYZE rejections');
      sql = new RecordingSql(eye.databaseUrl);
      service = new RejectionsService(new RejectionsRepository(sql, sql));
    });
    afterAll(() => sql.onApplicationShutdown());

    const nodesOf = (plan: any): any[] => [plan, ...(plan.Plans ?? []).flatMap(nodesOf)];
    const range = { rejected_after: '2024-02-01', rejected_before: '2024-03-01' };

    it.each<Record<string, string>>([
      {},
      range,
      { code: 'empty' },
      { code: 'too_long' },
      { code: 'too_long', ...range },
      { application: 'app-1' },
      { application: 'app-1', code: 'empty' },
      { application: 'app-1', code: 'too_long', ...range },
      { outcome: 'observed' },
      { outcome: 'set_aside' },
      { session_id: 'many-77' },
      { category: 'category-3' },
      { name: 'name-7', ...range },
      { category: 'category-3', name: 'name-7' },
    ])('reads each page from an index, without filtering or sorting: %j', async (filter) => {
      const first = await service.list(filter);
      for (const position of [{}, ...(first.next ? [{ cursor: first.next }] : [])]) {
        sql.statements.length = 0;
        await service.list({ ...filter, ...position });
        const selects = sql.statements.filter(({ sql }) => /^\s*SELECT/.test(sql));
        // The last page says its count by itself.
        expect(selects.length).toBeGreaterThanOrEqual(1);
        for (const { sql, parameters } of selects) {
          const [row] = await eye.sql<any>(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters);
          const nodes = nodesOf(row['QUERY PLAN'][0].Plan);
          // The size of a page is bounded outside of the statement that reads the rows.
          const scans = nodes.filter(({ ['Node Type']: type }) => /(?<!Subquery )Scan$/.test(String(type)));
          for (const scan of scans) {
            expect(scan['Node Type']).toMatch(/^Index/);
            expect(scan['Rows Removed by Filter'] ?? 0).toBe(0);
          }
          expect(nodes.filter((node) => /Sort/.test(node['Node Type']))).toEqual([]);
        }
      }
    });

    it('returns an exact count up to 10,000 and an estimate beyond', async () => {
      const { count, count_is_estimate } = await list('?code=too_long');
      expect(count_is_estimate).toBe(true);
      expect(count).toBeGreaterThan(10_000);
      expect(await list('?code=empty')).toMatchObject({ count: 100 });
    });
  });
});

describe('Rejection counts', () => {
  let eye: TheEye;
  const { list, total } = rejectionsClient(() => eye);
  beforeAll(async () => void (eye = await startEye()));
  afterAll(() => eye.close());

  it('stay exact in a flood of invalid events, with few rows and no effect on valid events', async () => {
    // On a slow machine a valid sender may get 503. It retries, and every event must be stored once all the same.
    const load = Load.on(eye, { retries503: true });
    const began = Date.now();
    const bad = Array.from({ length: 500 }, (_, n) => anEvent({ name: `made up ${n}`, data: n }));
    const requests = 60;
    for (let sent = 0; sent < requests; sent += 2) {
      await Promise.all([
        eye.post('/events/', bad),
        eye.post('/events/', `${bad.map((event) => JSON.stringify(event)).join('\n')}\n`, NDJSON),
      ]);
    }
    const seconds = Math.ceil((Date.now() - began) / 1000) + 1;
    await load.waitForResponses(202, 20);
    await load.expectStored();
    expect(load.accepted).toBe(load.sent);
    await eventually(async () => expect(await total()).toBe(requests * bad.length));
    const { count } = await list();
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(seconds * 20);
    const [rows] = await eye.sql<{ counts: number }>('SELECT count(*)::int AS counts FROM rejection_counts');
    expect(rows?.counts).toBeLessThanOrEqual(101 * Math.ceil(seconds / 60 + 1));
  });

  describe('in GET /rejections/summary', () => {
    beforeAll(async () => {
      await eye.sql('DELETE FROM rejection_counts');
      await eye.sql(`
        INSERT INTO rejection_counts (minute, application, code, category, name, count) VALUES
          ('2025-12-31T23:59Z', 'shop', 'empty', 'click', 'cta', 1),
          ('2026-01-01T00:00Z', 'shop', 'empty', 'click', 'cta', 2),
          ('2026-01-01T00:59Z', 'shop', 'empty', 'click', 'cta', 3),
          ('2026-01-01T00:59Z', 'site', 'empty', 'click', 'cta', 4),
          ('2026-01-01T01:00Z', 'shop', 'too_long', 'click', 'cta', 5),
          ('2026-01-02T00:00Z', 'shop', 'empty', '', '', 9007199254740000)`);
    });
    const row = (
      time: string,
      application: string,
      code: string,
      count: number,
      type = ['click', 'cta'],
    ) => ({
      time: `2026-01-01T${time}:00.000000Z`,
      application,
      code,
      category: type[0],
      name: type[1],
      count,
    });

    it('are grouped by hour, application, code and type', async () => {
      const { body } = await eye.get('/rejections/summary/?from=2026-01-01&to=2026-01-01');
      expect(body).toEqual({
        interval: 'hour',
        from: '2026-01-01T00:00:00.000000Z',
        to: '2026-01-02T00:00:00.000000Z',
        total: 14,
        results: [
          row('00:00', 'shop', 'empty', 5),
          row('00:00', 'site', 'empty', 4),
          row('01:00', 'shop', 'too_long', 5),
        ],
      });
    });

    it('are grouped by minute, including the buckets that contain the bounds of the range', async () => {
      const { body } = await eye.get(
        '/rejections/summary/?interval=minute&from=2026-01-01T00:59:59Z&to=2026-01-01T01:00:00Z&application=shop',
      );
      expect(body.results).toEqual([row('00:59', 'shop', 'empty', 3), row('01:00', 'shop', 'too_long', 5)]);
    });

    it('are grouped by day and exact', async () => {
      const { body } = await eye.get(
        '/rejections/summary/?interval=day&from=2025-12-31&to=2026-01-02&code=empty',
      );
      expect(body.results.map(({ time, count }: any) => [time.slice(0, 10), count])).toEqual([
        ['2025-12-31', 1],
        ['2026-01-01', 5],
        ['2026-01-01', 4],
        ['2026-01-02', 9007199254740000],
      ]);
    });

    it.each([
      ['interval=minute&from=2026-01-01&to=2026-01-01', 'from'],
      ['interval=day&from=2020-01-01&to=2026-01-01', 'from'],
      ['from=2026-01-02&to=2026-01-01', 'from'],
      ['interval=week', 'interval'],
      ['to=soon', 'to'],
      ['to=0001-01-01T12:00:00Z', 'from'],
      ['to=9999-12-31', 'to'],
      ['code=nonsense', 'code'],
      ['page=1', 'page'],
    ])('are not returned for the invalid query ?%s', async (query, parameter) => {
      const { status, body } = await eye.get(`/rejections/summary/?${query}`);
      expect({ status, errors: Object.keys(body.errors) }).toEqual({ status: 400, errors: [parameter] });
    });
  });
});

describe('POST /rejections/retry', () => {
  let eye: TheEye;
  const { list, listed, retry, retryAll, total } = rejectionsClient(() => eye);
  const strict = { ...UNSAMPLED, FUTURE_LIMIT: '0' };
  beforeAll(async () => void (eye = await startEye({ ...strict, TEXT_LIMIT: '20' })));
  afterAll(() => eye.close());

  it('stores a future event once its time has come', async () => {
    const event = anEvent({ session_id: 'soon', timestamp: new Date(Date.now() + 2500).toISOString() });
    expect((await eye.post('/events/', event)).status).toBe(400);
    const [{ id }] = await listed(1);
    expect((await retry(id)).body.code).toBe('still_refused');
    const response = await eventually(async () => {
      const retried = await retry(id);
      expect(retried.status).toBe(202);
      return retried;
    });
    expect(response.body).toEqual({ id: expect.any(String), status: 'queued' });
    expect(response.headers.get('location')).toBe(`/events/${response.body.id}/`);
    await eye.drained();
    const { body } = await eye.get(`/events/${response.body.id}/`);
    expect(body).toMatchObject({ session_id: 'soon', application: 'default', data: event.data });
    expect((await list()).count).toBe(0);
    expect((await retry(id)).status).toBe(404);
  });

  it('stores events once their limit is raised, 1,000 per request, and leaves the other rejections', async () => {
    const long = 'a category of more than twenty characters';
    const acceptable = Array.from({ length: 1100 }, (_, n) =>
      anEvent({ session_id: 'm', category: long, data: { n } }),
    );
    const timeless = { session_id: 'timeless', category: long, name: 'n' };
    const never = [anEvent({ category: long, name: '' }), anEvent({ category: long, timestamp: 'soon' })];
    const other = anEvent({ category: `another ${long}` });
    await eye.post('/events/', [timeless, ...never, other]);
    const before = await listed(4);
    await eye.post('/events/', acceptable.slice(0, 600));
    await listed(604);
    await eye.post('/events/', acceptable.slice(600));
    await listed(1104);
    const counted = await total();
    const { rejected_at } = before.find(({ session_id }) => session_id === 'timeless');
    await eye.restart({ TEXT_LIMIT: undefined });

    const query = `?category=${encodeURIComponent(long)}`;
    const first = await retryAll(query);
    expect(first).toMatchObject({ retried: 1000, left_out: 0, more: true, next: expect.any(String) });
    const { body: second } = await eye.post(first.next, '');
    expect(second).toMatchObject({ retried: 103, left_out: 0, more: false, next: null });
    expect(first.accepted + second.accepted).toBe(1101);
    expect(first.refused + second.refused).toBe(2);

    await eye.drained();
    const stored = await eye.sql<{ n: number }>(
      `SELECT (data->>'n')::int AS n FROM events WHERE session_id = 'm'`,
    );
    expect(stored.map(({ n }) => n).sort((a, b) => a - b)).toEqual(acceptable.map((_, n) => n));
    const [found] = (await eye.get('/events/?session_id=timeless')).body.results;
    expect(found.timestamp).toBe(rejected_at);

    const remaining = (await list()).results;
    expect(remaining.map(({ code, category }: any) => [code, category]).sort()).toEqual([
      ['empty', long],
      ['invalid_timestamp', long],
      ['too_long', other.category],
    ]);
    expect(Object.keys(remaining.find(({ code }: any) => code === 'empty').errors)).toEqual(['name']);
    expect(await total()).toBe(counted);
  });

  it('rejects an invalid cursor and invalid parameters', async () => {
    for (const query of ['?cursor=nonsense', '?page_size=10', '?code=nonsense']) {
      const { status, body } = await eye.post(`/rejections/retry/${query}`, '');
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid' });
    }
  });
});

describe('Events that PostgreSQL rejects', () => {
  const batch = Array.from({ length: 300 }, (_, index) => {
    const isRefused = [0, 7, 8, 299].includes(index);
    const long = isRefused ? 'x'.repeat(20_000) : 'x';
    return anEvent({
      session_id: 'batch',
      name: isRefused ? 'refused' : 'pageview',
      data: { index, price: 0.1, text: 'ü 𝄞', deep: [null, { yes: true }], long },
    });
  });
  const refused = batch.filter(({ name }) => name === 'refused');
  let eye: TheEye;
  const { list, retry, retryAll, total } = rejectionsClient(() => eye);
  beforeAll(async () => {
    eye = await startEye();
    await eye.sql(`ALTER TABLE events ADD CONSTRAINT none_refused CHECK (name <> 'refused') NOT VALID`);
    const { status, body } = await eye.post('/events/', batch);
    expect({ status, accepted: body.accepted }).toEqual({ status: 202, accepted: batch.length });
    await eye.drained();
  });
  afterAll(() => eye.close());

  it('do not prevent the other events of their job from being stored', async () => {
    const { body } = await eye.get('/events/?session_id=batch&page_size=1000');
    const indexes = body.results.map(({ data }: any) => data.index).sort((a: number, b: number) => a - b);
    expect(indexes).toEqual(batch.filter(({ name }) => name !== 'refused').map(({ data }) => data['index']));
  });

  it('are dead-lettered untruncated at any size, with the error message of PostgreSQL, and counted', async () => {
    const { results } = await list('?outcome=set_aside');
    expect(results).toHaveLength(refused.length);
    for (const event of refused) {
      const rejection = results.find((each: any) => each.event.data.index === event.data['index']);
      expect(rejection).toEqual({
        id: expect.any(String),
        event_id: expect.any(String),
        application: 'default',
        outcome: 'set_aside',
        code: 'refused_by_database',
        errors: { event: ['new row for relation "events" violates check constraint "none_refused"'] },
        event,
        whole: true,
        session_id: 'batch',
        category: event.category,
        name: 'refused',
        dialect: null,
        rejected_at: expect.stringMatching(TIME),
      });
      expect((await eye.get(`/events/${rejection.event_id}/`)).status).toBe(404);
    }
    expect(await total('?code=refused_by_database')).toBe(refused.length);
  });

  it('are reported as queued to a client that waits, and dead-lettered and counted once', async () => {
    const { status, body } = await eye.post('/events/', refused[0], { prefer: 'wait=1' });
    expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String), status: 'queued' } });
    await eye.drained();
    expect((await list()).count).toBe(refused.length);
    expect(await total()).toBe(refused.length);
  });

  it('are dead-lettered again when PostgreSQL rejects their retry', async () => {
    const before = (await list()).results.at(-1);
    const { status, body } = await retry(before.id);
    expect({ status, body }).toEqual({ status: 202, body: { id: before.event_id, status: 'queued' } });
    await eye.drained();
    const { count, results } = await list();
    expect(count).toBe(refused.length);
    expect(results[0]).toEqual({ ...before, id: expect.any(String), rejected_at: expect.any(String) });
    expect(results[0].rejected_at > before.rejected_at).toBe(true);
  });

  it('are stored and removed from the rejections when PostgreSQL accepts their retry', async () => {
    await eye.sql('ALTER TABLE events DROP CONSTRAINT none_refused');
    const [first] = (await list()).results;
    expect((await retry(first.id)).status).toBe(202);
    await eye.drained();
    expect((await eye.get(`/events/${first.event_id}/`)).body).toEqual({
      ...refused.find(({ data }) => data['index'] === first.event.data.index),
      application: 'default',
      id: first.event_id,
    });
    expect((await eye.get(`/rejections/${first.id}/`)).status).toBe(404);
    expect(await retryAll('?outcome=set_aside')).toMatchObject({
      retried: 3,
      accepted: 3,
      refused: 0,
      more: false,
    });
    await eye.drained();
    expect((await list()).results).toEqual([]);
    const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
    expect(row?.stored).toBe(batch.length);
  });
});

describe('Rejections while PostgreSQL is unavailable', () => {
  let postgres: OwnPostgres;
  let eye: TheEye;
  const { list, total, retry } = rejectionsClient(() => eye);
  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEye({ DATABASE_URL: postgres.url, QUERY_TIMEOUT: '1000', STORE_TIMEOUT: '1000' });
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  it.each([
    ['stopped', () => postgres.stop(), () => postgres.start()],
    ['killed', () => postgres.kill(), () => postgres.start()],
    ['frozen', () => postgres.freeze(), () => postgres.thaw()],
  ])('are counted exactly once after PostgreSQL was %s', async (_, interrupt, resume) => {
    const refused = 40;
    const before = await total();
    for (let sent = 0; sent < refused; sent++) {
      if (sent === 10) await interrupt();
      if (sent === 30)
        await eventually(async () => expect((await eye.get('/health/ready')).status).toBe(503));
      if (sent === 35) await resume();
      const { status, took } = await eye.post('/events/', [anEvent({ name: '' }), anEvent({ data: [] })]);
      expect(status).toBe(400);
      expect(took).toBeLessThan(onTime(1000));
    }
    await eventually(async () => expect(await total()).toBe(before + 2 * refused), 60_000);
    expect((await list()).count).toBeGreaterThan(0);
    await eye.post('/events/', anEvent({ name: '' }));
    await eventually(async () => expect(await total()).toBe(before + 2 * refused + 1));
  });

  it('can be neither read nor retried: the routes return 503', async () => {
    const [{ id }] = (await list()).results;
    await postgres.stop();
    for (const response of [
      await eye.get('/rejections/'),
      await eye.get('/rejections/summary/'),
      await retry(id),
    ]) {
      expect({ status: response.status, code: response.body.code }).toEqual({
        status: 503,
        code: 'database_unavailable',
      });
      expect(response.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    await postgres.start();
  });
});

describe('Rejections across a restart', () => {
  it('survive a graceful shutdown and are removed after REJECTIONS_KEEP days', async () => {
    const eye = await startEye({ REJECTIONS_KEEP: '7', ROLE: 'api' });
    const { listed, total } = rejectionsClient(() => eye);
    try {
      await eye.sql(`
        INSERT INTO rejections (id, application, code, errors, whole, outcome, rejected_at)
        SELECT gen_random_uuid(), 'default', 'empty', '{}', false, 'refused', now() - interval '7 days 1 minute'
        FROM generate_series(1, 2500)`);
      await eye.sql(`
        INSERT INTO rejection_counts (minute, application, code, category, name, count)
        SELECT date_trunc('minute', now()) - interval '8 days' + n * interval '1 second', 'default', 'empty', '', '', 1
        FROM generate_series(1, 2500) AS n`);
      await eye.post('/events/', anEvent({ name: '' }));
      expect(await eye.end()).toBe(0);
      await eye.restart({ ROLE: undefined });
      await listed(1);
      await eventually(async () => expect(await total('?interval=day')).toBe(1));
    } finally {
      await eye.close();
    }
  });
});
