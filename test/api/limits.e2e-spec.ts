import { anEvent, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };

/** A `data` object whose compact JSON has exactly this many bytes. */
const dataOf = (bytes: number): Record<string, string> => ({ x: 'a'.repeat(bytes - '{"x":""}'.length) });

/** Objects nested to this many levels. */
const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) });

const DEFAULT_ENV: Record<string, string> = {};
const CUSTOM_ENV: Record<string, string> = {
  TEXT_LIMIT: '20',
  DATA_LIMIT: '100',
  DEPTH_LIMIT: '3',
  BODY_LIMIT: '4096',
  EVENTS_LIMIT: '7',
  FUTURE_LIMIT: '60',
};

describe.each([
  {
    limits: 'POST /events with default limits',
    env: DEFAULT_ENV,
    text: 255,
    data: 64 * 1024,
    depth: 100,
    body: 5 * 1024 * 1024,
    events: 5000,
    future: 300,
  },
  {
    limits: 'POST /events with custom limits',
    env: CUSTOM_ENV,
    text: 20,
    data: 100,
    depth: 3,
    body: 4096,
    events: 7,
    future: 60,
  },
])('$limits', ({ env, text, data, depth, body, events, future }) => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEye(env)));
  afterAll(() => eye.close());

  const errorsOf = async (fields: Record<string, unknown>): Promise<unknown> => {
    const response = await eye.post('/events/', anEvent({ session_id: 's', ...fields }));
    expect(response.status).toBe(response.body.errors ? 400 : 202);
    return response.body.errors;
  };

  describe.each(['session_id', 'category', 'name'])('for the field %s', (field) => {
    it.each(['x', 'ü', '𝄞'])(
      'accepts up to the maximum number of characters, such as "%s"',
      async (character) => {
        expect(await errorsOf({ [field]: character.repeat(text - 1) })).toBeUndefined();
        expect(await errorsOf({ [field]: character.repeat(text) })).toBeUndefined();
        expect(await errorsOf({ [field]: character.repeat(text + 1) })).toEqual({
          [field]: [`Must not exceed ${text} characters.`],
        });
      },
    );
  });

  it('accepts data up to the maximum number of bytes, counted as compact JSON in UTF-8', async () => {
    const tooLarge = { data: [`Must not exceed ${data} bytes as compact JSON.`] };
    expect(await errorsOf({ data: dataOf(data - 1) })).toBeUndefined();
    expect(await errorsOf({ data: dataOf(data) })).toBeUndefined();
    expect(await errorsOf({ data: dataOf(data + 1) })).toEqual(tooLarge);
    expect(await errorsOf({ data: { x: 'é'.repeat((data - 8) / 2) } })).toBeUndefined();
    expect(await errorsOf({ data: { x: 'é'.repeat((data - 8) / 2 + 1) } })).toEqual(tooLarge);
  });

  it('accepts data up to the maximum nesting depth', async () => {
    expect(await errorsOf({ data: nested(depth) })).toBeUndefined();
    expect(await errorsOf({ data: nested(depth + 1) })).toEqual({
      data: [`Nested more than ${depth} levels deep.`],
    });
  });

  it('accepts timestamps up to the maximum number of seconds in the future', async () => {
    const ahead = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();
    expect(await errorsOf({ timestamp: ahead(future - 20) })).toBeUndefined();
    expect(await errorsOf({ timestamp: ahead(future + 20) })).toEqual({
      timestamp: [`Must not lie more than ${future} seconds in the future.`],
    });
  });

  it('accepts up to the maximum number of events, as a JSON array and as NDJSON', async () => {
    const minimal = (n: number): unknown[] =>
      Array.from({ length: n }, () => ({
        session_id: 's',
        category: 'c',
        name: 'n',
        timestamp: '2021-01-01 00:00',
      }));
    const lines = (n: number): string =>
      minimal(n)
        .map((event) => JSON.stringify(event))
        .join('\n');
    for (const n of [events - 1, events]) {
      expect((await eye.post('/events/', minimal(n))).body.accepted).toBe(n);
      expect((await eye.post('/events/', lines(n), NDJSON)).body.accepted).toBe(n);
    }
    const tooMany = {
      status: 413,
      body: { code: 'too_many_events', detail: expect.stringContaining(events.toLocaleString('en')) },
    };
    expect(await eye.post('/events/', minimal(events + 1))).toMatchObject(tooMany);
    expect(await eye.post('/events/', lines(events + 1), NDJSON)).toMatchObject(tooMany);
  });

  it('accepts a body up to the maximum number of bytes, as JSON, as NDJSON and without a content length', async () => {
    const padded = (bytes: number): string => JSON.stringify(anEvent()).padEnd(bytes, ' ');
    expect((await eye.post('/events/', padded(body - 1))).status).toBe(202);
    expect((await eye.post('/events/', padded(body))).status).toBe(202);
    expect((await eye.post('/events/', padded(body), NDJSON)).status).toBe(202);
    const tooLarge = {
      status: 413,
      body: { code: 'body_too_large', detail: expect.stringContaining(body.toLocaleString('en')) },
    };
    expect(await eye.post('/events/', padded(body + 1))).toMatchObject(tooLarge);
    expect(await eye.post('/events/', padded(body + 1), NDJSON)).toMatchObject(tooLarge);
    const streamed = await eye.request('POST', '/events/', {
      body: new Blob([padded(body + 1)]).stream(),
      headers: NDJSON,
      duplex: 'half',
    });
    expect(streamed).toMatchObject(tooLarge);
  });

  it('states its limits in the OpenAPI document', async () => {
    const { body: document } = await eye.get('/docs-json');
    const { properties } = document.components.schemas.CreateEventDto;
    expect(properties.session_id.maxLength).toBe(text);
    expect(properties.data.description).toContain(`${data} bytes`);
    expect(properties.timestamp.description).toContain(`${future} seconds`);
    expect(properties.data.description).toContain(`${depth} levels`);
    const { description, requestBody, responses } = document.paths['/events'].post;
    expect(description).toContain(`${events} events and ${body} bytes`);
    expect(requestBody.content['application/json'].schema.oneOf[1].maxItems).toBe(events);
    expect(responses[413].content['application/problem+json'].example.detail).toContain(
      body.toLocaleString('en'),
    );
  });
});

describe('The fixed limits', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEye()));
  afterAll(() => eye.close());

  it('cap session_id, category and name at 2,400 bytes together, so that they fit into one index row', async () => {
    const long = '𝄞'.repeat(200);
    const { status, body } = await eye.post(
      '/events/',
      anEvent({ session_id: long, category: long, name: long }),
    );
    expect(status).toBe(202);
    const over = await eye.post('/events/', anEvent({ session_id: long, category: long, name: `${long}x` }));
    expect(over.status).toBe(400);
    expect(over.body.errors.session_id[0]).toContain('2400 bytes');
    await eye.drained();
    expect((await eye.get(`/events/${body.id}/`)).status).toBe(200);
  });

  it.each([
    ['page_size=1', 200],
    ['page_size=1000', 200],
    ['page_size=1001', 400],
    ['page_size=0', 400],
    ['page=1001&page_size=10', 200],
    ['page=1002&page_size=10', 400],
  ])('make GET /events/?%s return %d', async (query, status) => {
    expect((await eye.get(`/events/?${query}`)).status).toBe(status);
  });

  it('make POST /events return 503 for large arrays beyond its capacity, store the accepted arrays whole, and accept a single event meanwhile', async () => {
    const large = (n: number): unknown[] =>
      Array.from({ length: 5000 }, (_, index) =>
        anEvent({ session_id: `array ${n}`, name: `event ${index}`, timestamp: '2026-01-01T00:00:00Z' }),
      );
    const sent = Array.from({ length: 30 }, (_, n) => eye.post('/events/', large(n)));
    expect((await eye.post('/events/', anEvent())).status).toBe(202);
    const results = await Promise.all(sent);
    const refused = results.filter(({ body }) => body.code === 'busy');
    expect(results.some(({ status }) => status === 202)).toBe(true);
    expect(refused.length).toBeGreaterThan(0);
    for (const { status, headers } of refused)
      expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    await eye.drained();
    const rows = await eye.sql<{ session_id: string; count: number }>(
      `SELECT session_id, count(*)::int AS count FROM events WHERE session_id LIKE 'array %' GROUP BY session_id`,
    );
    const stored = new Map(rows.map(({ session_id, count }) => [session_id, count]));
    for (const [n, { status, body }] of results.entries())
      if (status === 202 || body.code === 'busy')
        expect([n, stored.get(`array ${n}`) ?? 0]).toEqual([n, status === 202 ? 5000 : 0]);
  });

  it('make GET /events refer to cursors if a page number is too high', async () => {
    const { body } = await eye.get('/events/?page=1000000');
    expect(body.errors.page[0]).toMatch(/10,000 rows.*next/);
  });
});
