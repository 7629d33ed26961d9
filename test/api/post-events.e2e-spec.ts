import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { postInChunks } from '../support/post-in-chunks.js';
import { startEye } from '../support/start-eye.js';

const run = promisify(execFile);

describe('The event API', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEye()));
  afterAll(() => eye.close());

  const stored = (id: string): Promise<any> =>
    eventually(async () => {
      const response = await eye.get(`/events/${id}/`);
      expect(response.status).toBe(200);
      return response.body;
    });

  describe('Every response', () => {
    const SECURITY_HEADERS = {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    };

    it.each([
      '/events/',
      '/',
      '/events/3/',
      '/nothing',
      '/%zz',
      '/health/live',
      '/metrics',
      '/docs',
      '/docs-json',
      '/queues/',
    ])('has security headers: %s', async (path) => {
      const { headers } = await eye.get(path);
      expect(Object.fromEntries(headers)).toMatchObject(SECURITY_HEADERS);
      const policy = headers.get('content-security-policy');
      expect(policy).toMatch(/^default-src 'self';.*frame-ancestors 'none'/);
      expect(policy).not.toMatch(/unsafe-eval|script-src|https?:/);
      expect([path, policy?.includes('unsafe-inline')]).toEqual([path, ['/docs', '/queues/'].includes(path)]);
      expect(headers.has('strict-transport-security')).toBe(false);
    });
  });

  describe('POST /events with one event', () => {
    it('returns 202 with the id and the location of the event', async () => {
      const { status, body, headers } = await eye.post('/events/', anEvent());
      expect(status).toBe(202);
      expect(body).toEqual({ id: expect.stringMatching(/^0176bd3b-005b-8/), status: 'queued' });
      expect(headers.get('location')).toBe(`/events/${body.id}/`);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
    });

    it('stores the event unchanged', async () => {
      const event = anEvent({ data: { deep: [{ ü: '𝄞', n: 0.1, t: true, nothing: null }], '': {} } });
      const { body } = await eye.post('/events/', event);
      expect(await stored(body.id)).toEqual({ ...event, application: 'default', id: body.id });
    });

    it.each([
      ['2021-01-01t09:15:29.243860z', '2021-01-01T09:15:29.243860Z'],
      ['2021-01-01T09:15:29.243860000Z', '2021-01-01T09:15:29.243860Z'],
      ['2021-01-01T09:15:29.2438600+00:00', '2021-01-01T09:15:29.243860Z'],
    ])('accepts the timestamp %s as %s, since nothing of it is lost', async (sent, timestamp) => {
      const { body } = await eye.store(anEvent({ timestamp: sent }));
      expect(body.timestamp).toBe(timestamp);
    });

    it.each(['application/vnd.shop.event+json', 'application/json;charset=UTF-8'])(
      'accepts %s as JSON',
      async (type) => {
        expect((await eye.post('/events/', anEvent(), { 'content-type': type })).status).toBe(202);
      },
    );

    it.each(['application/ndjson', 'application/jsonl', 'application/x-jsonlines'])(
      'accepts %s as NDJSON',
      async (type) => {
        const lines = `${JSON.stringify(anEvent())}\n${JSON.stringify(anEvent())}`;
        const { body } = await eye.post('/events/', lines, { 'content-type': type });
        expect(body.accepted).toBe(2);
      },
    );

    it('defaults data to {} and timestamp to the current time', async () => {
      const { session_id, category, name } = anEvent();
      const before = Date.now();
      const { body } = await eye.post('/events/', { session_id, category, name });
      const event = await stored(body.id);
      expect(event.data).toEqual({});
      expect(event.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}000Z$/);
      expect(Date.parse(event.timestamp)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(event.timestamp)).toBeLessThanOrEqual(Date.now());
    });
  });

  describe('POST /events with an array', () => {
    it('returns 202 with the ids in the order of the events', async () => {
      const events = [anEvent(), anEvent(), anEvent()];
      const { status, body } = await eye.post('/events/', events);
      expect(status).toBe(202);
      expect(body).toEqual({
        accepted: 3,
        rejected: [],
        ids: [expect.any(String), expect.any(String), expect.any(String)],
      });
      expect(new Set(body.ids).size).toBe(3);
      for (const [index, id] of body.ids.entries()) {
        expect((await stored(id)).session_id).toBe(events[index]?.session_id);
      }
    });

    it('accepts the valid events and reports the errors of the others', async () => {
      const { status, body } = await eye.post('/events/', [
        anEvent(),
        { category: 'a', name: 'b' },
        anEvent({ timestamp: '2021-02-30T00:00:00Z', colour: 'red' }),
        anEvent(),
        'event',
      ]);
      expect(status).toBe(202);
      expect(body.accepted).toBe(2);
      expect(body.ids).toHaveLength(2);
      expect(body.rejected).toEqual([
        { index: 1, errors: { session_id: ['This field is required.'] } },
        { index: 2, errors: { colour: ['Unknown field.'], timestamp: ['This day does not exist.'] } },
        { index: 4, errors: { event: ['Must be a JSON object.'] } },
      ]);
      for (const id of body.ids) await stored(id);
    });

    it('returns 400 when every event is invalid', async () => {
      const { status, body } = await eye.post('/events/', [{}, anEvent({ name: '' })]);
      expect(status).toBe(400);
      expect(body).toMatchObject({ status: 400, code: 'invalid', accepted: 0, ids: [] });
      expect(body.rejected).toEqual([
        {
          index: 0,
          errors: {
            session_id: ['This field is required.'],
            category: ['This field is required.'],
            name: ['This field is required.'],
          },
        },
        { index: 1, errors: { name: ['Must not be empty.'] } },
      ]);
    });
  });

  describe('POST /events with NDJSON', () => {
    const ndjson = { 'content-type': 'application/x-ndjson' };

    it('accepts one event per line, with any line ending, blank lines and no final newline', async () => {
      const [a, b, c] = [anEvent(), anEvent(), anEvent()].map((event) => JSON.stringify(event));
      const { status, body } = await eye.post('/events/', `\uFEFF${a}\r\n\n  \n${b}\n${c}`, ndjson);
      expect(status).toBe(202);
      expect(body).toMatchObject({ accepted: 3, rejected: [] });
      for (const id of body.ids) await stored(id);
    });

    it('reports an invalid line by its index and accepts the others', async () => {
      const valid = JSON.stringify(anEvent());
      const { status, body } = await eye.post('/events/', `{"broken\n\n${valid}\n[1]\n`, ndjson);
      expect(status).toBe(202);
      expect(body.accepted).toBe(1);
      expect(body.rejected).toEqual([
        { index: 0, errors: { event: [expect.stringMatching(/^Not valid JSON/)] } },
        { index: 2, errors: { event: ['Must be a JSON object.'] } },
      ]);
    });

    it('accepts lines whose chunks split characters', async () => {
      const event = anEvent({ data: { text: 'Grüße 𝄞' } });
      const bytes = Buffer.from(`${JSON.stringify(event)}\n${JSON.stringify(anEvent())}\n`);
      const { status, body } = await postInChunks(eye.url, bytes, 7);
      expect(status).toBe(202);
      expect(body.accepted).toBe(2);
      expect((await stored(body.ids[0])).data).toEqual(event.data);
    });
  });

  describe('POST /events with Prefer: wait', () => {
    const wait = { prefer: 'wait=10' };

    it('returns 201 with the stored event, and 200 when it was stored before', async () => {
      const event = anEvent();
      const first = await eye.post('/events/', event, wait);
      expect(first.status).toBe(201);
      expect(first.headers.get('preference-applied')).toBe('wait=10');
      expect(first.body).toEqual({ ...event, application: 'default', id: expect.any(String) });
      expect(first.headers.get('location')).toBe(`/events/${first.body.id}/`);
      const again = await eye.post('/events/', event, wait);
      expect(again.status).toBe(200);
      expect(again.body).toEqual(first.body);
    });

    it('returns 201 or 200 for an array, with the stored events in their order', async () => {
      const [old, fresh] = [anEvent(), anEvent()];
      await eye.store(old);
      const mixed = await eye.post('/events/', [fresh, { name: 'bad' }, old], wait);
      expect(mixed.status).toBe(201);
      expect(mixed.body).toMatchObject({ accepted: 2, results: [fresh, old] });
      expect(mixed.body.rejected).toHaveLength(1);
      expect(mixed.headers.get('preference-applied')).toBe('wait=10');
      const again = await eye.post('/events/', [old, fresh], wait);
      expect(again.status).toBe(200);
      expect(again.body).toMatchObject({ accepted: 2, rejected: [], results: [old, fresh] });
    });

    it.each(['wait=0', 'wait=soon', 'respond-async', 'await=3', 'wait=-1', ''])(
      'does not wait for the preference "%s"',
      async (prefer) => {
        const { status, headers } = await eye.post('/events/', anEvent(), { prefer });
        expect(status).toBe(202);
        expect(headers.get('preference-applied')).toBeNull();
      },
    );

    it('limits the wait to 30 seconds', async () => {
      const { headers } = await eye.post('/events/', anEvent(), { prefer: 'respond-async, wait=3600' });
      expect(headers.get('preference-applied')).toBe('wait=30');
    });
  });

  it('GET /events returns the newest events first, with links to the other pages', async () => {
    await eye.store(
      Array.from({ length: 11 }, (_, n) => anEvent({ timestamp: `2020-01-01T00:00:00.${100 + n}Z` })),
    );
    const { status, body } = await eye.get('/events/?timestamp_before=2020-01-01');
    expect(status).toBe(200);
    expect(Object.keys(body)).toEqual(['count', 'next', 'previous', 'results']);
    expect(body).toMatchObject({
      count: 11,
      next: expect.stringMatching(`^${eye.url}/events/`),
      previous: null,
    });
    const times = body.results.map(({ timestamp }: any) => timestamp);
    expect(times).toEqual(Array.from({ length: 10 }, (_, n) => `2020-01-01T00:00:00.${110 - n}000Z`));
  });

  describe('GET /events/<id>', () => {
    it('returns 404 for an unknown id and for an invalid id', async () => {
      for (const id of [
        '0176bd3b-005b-8000-8000-000000000000',
        'ffffffff-ffff-8fff-8fff-ffffffffffff',
        '3',
        'x%20y',
      ]) {
        const { status, body } = await eye.get(`/events/${id}/`);
        expect(status).toBe(404);
        expect(body).toMatchObject({ status: 404, code: 'not_found', title: 'Not Found' });
      }
    });

    it('accepts an id in capitals', async () => {
      const { body } = await eye.store(anEvent());
      expect((await eye.get(`/events/${body.id.toUpperCase()}/`)).body).toEqual(body);
    });
  });

  it('GET /sessions/ is answered 503 without a ClickHouse, and a session with its events comes from PostgreSQL', async () => {
    await eye.store([
      anEvent({ session_id: 'core', name: 'first' }),
      anEvent({ session_id: 'core', name: 'last' }),
    ]);
    for (const path of ['/sessions/', '/statistics/sessions/'])
      expect(await eye.get(path)).toMatchObject({ status: 503, body: { code: 'clickhouse_unavailable' } });
    const { body } = await eye.get('/sessions/core/');
    expect(body).toMatchObject({ events: 2, duration: 0, next: null });
    const names = body.results.map(({ name }: any) => name);
    expect([body.entry.name, body.exit.name]).toEqual(names);
  });

  it('Every route accepts its path with and without a trailing slash', async () => {
    const { body } = await eye.store(anEvent());
    for (const path of [
      '/events',
      `/events/${body.id}`,
      '/rejections',
      '/rejections/summary',
      '/health/live',
      '/health/ready',
      '/docs',
      '/docs-json',
    ]) {
      expect((await eye.get(path)).status).toBe(200);
      expect((await eye.get(`${path}/`)).status).toBe(200);
    }
    expect((await eye.post('/events', anEvent())).status).toBe(202);
  });

  it('POST /events returns errors as problem details', async () => {
    const { status, headers, body } = await eye.post('/events/', { category: 'click', name: 7, data: [] });
    expect(status).toBe(400);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      code: 'invalid',
      detail: 'Some fields are invalid.',
      errors: {
        session_id: ['This field is required.'],
        name: ['Must be a string.'],
        data: ['Must be a JSON object.'],
      },
    });
  });

  describe('The README commands of the predecessor', () => {
    /** Runs a command of the README of the predecessor; only the address is replaced. */
    const shell = async (command: string): Promise<string> => {
      const { stdout } = await run('bash', ['-c', command.replaceAll('http://127.0.0.1:8000', eye.url)]);
      return stdout;
    };

    const session = 'e2085be5-9137-4e4e-80b5-f1ffddc25423';
    let sent: any;

    it('send an event', async () => {
      const response = await shell(`curl -X POST http://127.0.0.1:8000/events/ \\
    -H 'Content-Type: application/json'    \\
    -d @- << EOF
{
    "session_id": "e2085be5-9137-4e4e-80b5-f1ffddc25423",
    "category": "click",
    "name": "pageview",
    "data": {
        "host": "www.consumeraffairs.com",
        "path": "/"
    },
    "timestamp": "2021-01-01 09:15:29.243860"
}
EOF`);
      sent = await stored(JSON.parse(response).id);
      expect(sent).toEqual({
        id: JSON.parse(response).id,
        application: 'default',
        session_id: session,
        category: 'click',
        name: 'pageview',
        data: { host: 'www.consumeraffairs.com', path: '/' },
        timestamp: '2021-01-01T09:15:29.243860Z',
      });
    });

    it('list events with an indent of four spaces', async () => {
      const text = await shell(`curl -H 'Accept: application/json; indent=4' http://127.0.0.1:8000/events/`);
      expect(text.trimEnd()).toBe(JSON.stringify(JSON.parse(text), null, 4));
      expect(JSON.parse(text)).toMatchObject({ count: expect.any(Number), previous: null });
    });

    it('get an event by its id', async () => {
      const text = await shell(
        `curl -H 'Accept: application/json; indent=4' http://127.0.0.1:8000/events/3/`.replace(
          '/3/',
          `/${sent.id}/`,
        ),
      );
      expect(text.trimEnd()).toBe(JSON.stringify(sent, null, 4));
    });

    it.each<[string, (event: any) => boolean]>([
      [
        `curl -H 'Accept: application/json; indent=4' http://127.0.0.1:8000/events/?session_id=e2085be5-9137-4e4e-80b5-f1ffddc25423`,
        ({ session_id }) => session_id === session,
      ],
      [
        `curl -H 'Accept: application/json; indent=4' http://127.0.0.1:8000/events/?category=form%20interaction`,
        ({ category }) => category === 'form interaction',
      ],
      [
        `curl -H 'Accept: application/json; indent=4' http://127.0.0.1:8000/events/?timestamp_before=2021-05-20`,
        ({ timestamp }) => timestamp < '2021-05-21',
      ],
      [
        `curl -H 'Accept: application/json; indent=4' http://127.0.0.1:8000/events/?timestamp_after=2021-06-01`,
        ({ timestamp }) => timestamp >= '2021-06-01',
      ],
    ])('filter events: %s', async (command, matches) => {
      await eye.store([
        anEvent({
          session_id: 'another',
          category: 'form interaction',
          timestamp: '2021-05-20T23:59:59.999999Z',
        }),
        anEvent({ session_id: 'another', timestamp: '2021-05-21T00:00:00Z' }),
        anEvent({ session_id: 'another', timestamp: '2021-05-31T23:59:59.999999Z' }),
        anEvent({ session_id: 'another', category: 'form interaction', timestamp: '2021-06-01T00:00:00Z' }),
      ]);
      const { count, results } = JSON.parse(await shell(command));
      const all = (await eye.get('/events/?page_size=1000')).body.results;
      expect(count).toBeGreaterThan(0);
      expect(count).toBe(all.filter(matches).length);
      expect(results).toEqual(all.filter(matches).slice(0, 10));
    });
  });
});
