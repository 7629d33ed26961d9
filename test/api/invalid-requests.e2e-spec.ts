import { once } from 'node:events';
import { connect } from 'node:net';
import { anEvent, type EyeResponse, eventually, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };

/** The time within which an error response must arrive, on a machine with other load. */
const ERROR_RESPONSE_MS = 2000;

/** The text of an event with one field inserted verbatim, so that it need not be valid JSON. */
const withData = (data: string): string => JSON.stringify(anEvent({ data: '?' })).replace('"?"', data);
const withField = (name: string, value: string): string =>
  JSON.stringify(anEvent({ [name]: '?' })).replace('"?"', value);

const SURROGATE = 'Must not contain half of a surrogate pair: it is not a Unicode character.';
const NUL = 'Must not contain the character U+0000: PostgreSQL cannot store it.';
const DUPLICATE_KEY = 'This key stands twice in one object; only one of its values could be kept.';
const TOO_DEEP = 'Nested more than 100 levels deep.';
const NOT_ISO = 'Must be an ISO 8601 date-time such as 2021-01-01T09:15:29.243860Z.';
const inexact = (number: string): string =>
  `The number ${number} cannot be kept exactly; send it as a string.`;
const nestedData = (levels: number): string => `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;

describe('Request validation', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEye({ REQUEST_TIMEOUT: '3000' })));

  afterEach(async () => {
    const { status } = await eye.post('/events/', anEvent(), { prefer: 'wait=20' });
    expect({ stillStores: status }).toEqual({ stillStores: 201 });
  });

  afterAll(async () => {
    const { output } = eye;
    await eye.close();
    expect(output).not.toMatch(/"level":"(error|fatal)"/);
  });

  /** Expects a problem document with exactly the documented members and optionally `errors`, without delay. */
  const expectProblem = (response: EyeResponse, status: number, code: string): void => {
    expect({ status: response.status, code: response.body.code }).toEqual({ status, code });
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const { errors = {}, ...others } = response.body;
    expect(others).toEqual({
      type: 'about:blank',
      title: expect.stringMatching(/^[A-Z]/),
      status,
      code,
      detail: expect.stringMatching(/.\.$/),
    });
    for (const messages of Object.values(errors)) expect(messages).toEqual([expect.any(String)]);
    expect(response.took).toBeLessThan(onTime(ERROR_RESPONSE_MS));
  };

  /** Expects that an event is rejected with exactly these errors, alone, in an array and in NDJSON, and that the other events are stored. */
  const expectRejected = async (event: string, errors: Record<string, string[]>): Promise<void> => {
    const single = await eye.post('/events/', event);
    expectProblem(single, 400, 'invalid');
    expect(single.body.errors).toEqual(errors);
    const [before, after] = [anEvent(), anEvent()];
    const array = `[${JSON.stringify(before)},${event},${JSON.stringify(after)}]`;
    const lines = `${JSON.stringify(before)}\n${event}\n${JSON.stringify(after)}`;
    for (const [body, headers] of [[array], [lines, NDJSON]] as const) {
      const several = await eye.post('/events/', body, { prefer: 'wait=20', ...headers });
      expect([200, 201]).toContain(several.status);
      expect(several.body).toMatchObject({
        accepted: 2,
        rejected: [{ index: 1, errors }],
        results: [before, after],
      });
    }
  };

  describe('POST /events with an invalid body', () => {
    it.each([
      ['an unclosed object', '{"session_id":"s"'],
      ['a trailing comma', '{"session_id":"s",}'],
      ['a comment', '{/* */}'],
      ['single quotes', `{'session_id':'s'}`],
      ['a control character in a string', '{"session_id":"a\nb"}'],
      ['two values', '{}{}'],
      ['NaN', '[NaN]'],
      ['a number with a leading zero', '[01]'],
      ['a bare word', 'event'],
      ['100,000 unclosed brackets', '['.repeat(100_000)],
    ])('returns 400 malformed_json for %s', async (_, text) => {
      const response = await eye.post('/events/', text);
      expectProblem(response, 400, 'malformed_json');
      expect(response.body.detail).toMatch(/^Not valid JSON: ./);
    });

    it.each([
      ['an empty body', ''],
      ['whitespace only', ' \r\n\t '],
      ['an empty array', '[]'],
    ])('returns 400 empty_body for %s', async (_, text) => {
      expectProblem(await eye.post('/events/', text), 400, 'empty_body');
      if (text !== '[]') expectProblem(await eye.post('/events/', text, NDJSON), 400, 'empty_body');
    });

    it('returns 400 empty_body for a request without a body', async () => {
      expectProblem(await eye.request('POST', '/events/'), 400, 'empty_body');
    });

    it.each(['null', 'true', '7', '"event"'])('returns 400 invalid for the JSON value %s', async (text) => {
      const response = await eye.post('/events/', text);
      expectProblem(response, 400, 'invalid');
      expect(response.body.errors).toEqual({ event: ['Must be a JSON object.'] });
    });

    it.each([
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/jsonp',
      'application/problem+json; charset=utf-8',
      'application/json; charset=latin1',
      'application/x-ndjson; charset=utf-16',
      'nonsense',
    ])('returns 415 for the content type %s', async (type) => {
      const response = await eye.post('/events/', anEvent(), { 'content-type': type });
      expectProblem(response, 415, 'unsupported_media_type');
      expect(response.body.detail).toContain('application/json or application/x-ndjson');
      expect(response.body.detail).toContain(type);
    });

    it('returns 415 for a URL-encoded form', async () => {
      const response = await eye.request('POST', '/events/', { body: new URLSearchParams({ name: 'n' }) });
      expectProblem(response, 415, 'unsupported_media_type');
    });

    it.each([
      ['an invalid byte', [0xff]],
      ['a truncated character', [0xc3]],
      ['an overlong encoding of a slash', [0xc0, 0xaf]],
      ['an encoded surrogate', [0xed, 0xa0, 0x80]],
    ])('returns 400 not_utf8 for %s', async (_, bytes) => {
      const [head = '', tail = ''] = JSON.stringify(anEvent({ session_id: '?' })).split('?');
      const body = Buffer.concat([Buffer.from(head), Buffer.from(bytes), Buffer.from(tail)]);
      expectProblem(await eye.post('/events/', body), 400, 'not_utf8');
      const lines = Buffer.concat([
        Buffer.from(`${JSON.stringify(anEvent())}\n`),
        body,
        Buffer.from(`\n${JSON.stringify(anEvent())}`),
      ]);
      const { status, body: response } = await eye.post('/events/', lines, NDJSON);
      expect(status).toBe(202);
      expect(response).toMatchObject({
        accepted: 2,
        rejected: [{ index: 1, errors: { event: ['The line is not valid UTF-8.'] } }],
      });
    });

    it.each(['application/json', 'application/x-ndjson', 'text/plain'])(
      'delivers 413 or 415 to a client that keeps sending an oversized body of %s',
      async (type) => {
        const chunk = new TextEncoder().encode(`${' '.repeat(65_535)}\n`);
        let chunks = 0;
        const body = new ReadableStream<Uint8Array>({
          pull: (controller) => (chunks++ < 200 ? controller.enqueue(chunk) : controller.close()),
        });
        const init = { body, duplex: 'half', headers: { 'content-type': type } } as RequestInit;
        const response = await eye.request('POST', '/events/', init);
        if (type === 'text/plain') expectProblem(response, 415, 'unsupported_media_type');
        else expectProblem(response, 413, 'body_too_large');
      },
    );
  });

  describe('POST /events with an invalid event', () => {
    it.each([
      ['session_id', 'null', 'Must be a string.'],
      ['session_id', '7', 'Must be a string.'],
      ['category', '["click"]', 'Must be a string.'],
      ['name', '{}', 'Must be a string.'],
      ['name', 'true', 'Must be a string.'],
      ['name', '""', 'Must not be empty.'],
      ['data', 'null', 'Must be a JSON object.'],
      ['data', '[]', 'Must be a JSON object.'],
      ['data', '"{}"', 'Must be a JSON object.'],
      ['data', '7', 'Must be a JSON object.'],
      ['timestamp', 'null', 'Must be a string.'],
      [
        'timestamp',
        '1609492529',
        'Must be a string such as 2021-01-01T09:15:29.243860Z, because a number could mean seconds or milliseconds.',
      ],
      ['timestamp', '""', NOT_ISO],
      ['timestamp', '"yesterday"', NOT_ISO],
      ['timestamp', '"2021-01-01"', NOT_ISO],
      ['timestamp', '"01/02/2021 09:15"', NOT_ISO],
      ['timestamp', '"99999-01-01T00:00:00Z"', NOT_ISO],
      ['timestamp', '"2021-01-01T09:15:29Z "', NOT_ISO],
      ['timestamp', '"２０２１-01-01T09:15:29Z"', NOT_ISO],
      ['timestamp', '"2021-02-30T00:00:00Z"', 'This day does not exist.'],
      ['timestamp', '"2021-02-29T00:00:00Z"', 'This day does not exist.'],
      ['timestamp', '"2021-13-01T00:00:00Z"', 'This day does not exist.'],
      ['timestamp', '"0000-01-01T00:00:00Z"', 'This day does not exist.'],
      ['timestamp', '"2021-01-01T24:00:00Z"', 'This time of day does not exist.'],
      ['timestamp', '"2016-12-31T23:59:60Z"', 'This time of day does not exist.'],
      ['timestamp', '"2021-01-01T00:00:00+24:00"', 'This offset does not exist.'],
      ['timestamp', '"0001-01-01T00:00:00+01:00"', 'Must lie within the years 0001 to 9999 in UTC.'],
      ['timestamp', '"9999-12-31T23:59:59-01:00"', 'Must lie within the years 0001 to 9999 in UTC.'],
      ['timestamp', '"9998-01-01T00:00:00Z"', 'Must not lie more than 300 seconds in the future.'],
      [
        'timestamp',
        '"2021-01-01T00:00:00.0000001Z"',
        'At most six fractional digits (microseconds) can be kept.',
      ],
    ])('rejects the field %s with the value %s', async (field, value, message) => {
      await expectRejected(withField(field, value), { [field]: [message] });
    });

    it.each(['session_id', 'category', 'name'])('rejects NUL and lone surrogates in %s', async (field) => {
      await expectRejected(withField(field, String.raw`"a\u0000b"`), { [field]: [NUL] });
      await expectRejected(withField(field, String.raw`"\ud800"`), { [field]: [SURROGATE] });
      await expectRejected(withField(field, String.raw`"\udc00\ud800"`), { [field]: [SURROGATE] });
    });

    it.each([
      ['a NUL in a value', String.raw`{"a":["x",{"b":"\u0000"}]}`, 'data.a.1.b', NUL],
      ['a NUL in a key', String.raw`{"a":{"x\u0000":1}}`, 'data.a.x\0', NUL],
      ['a lone surrogate in a value', String.raw`{"a":"\uD83D"}`, 'data.a', SURROGATE],
      ['a lone surrogate in a key', String.raw`{"\udc00":1}`, 'data.\udc00', SURROGATE],
      [
        'an integer that a double cannot represent',
        '{"n":9007199254740993}',
        'data.n',
        inexact('9007199254740993'),
      ],
      ['a number too large for a double', '{"n":[0,-1e999]}', 'data.n.1', inexact('-1e999')],
      ['a number too close to 0 for a double', '{"n":1e-999}', 'data.n', inexact('1e-999')],
      [
        'a number with more digits than a double has',
        '{"n":3.14159265358979323846}',
        'data.n',
        inexact('3.14159265358979323846'),
      ],
      ['a negative zero', '{"n":[-0.0]}', 'data.n.0', inexact('-0.0')],
      ['a number of 10,000 digits', `{"n":${'7'.repeat(10_000)}}`, 'data.n', inexact(`${'7'.repeat(37)}…`)],
      ['a duplicate key', '{"a":{"k":1,"k":2}}', 'data.a.k', DUPLICATE_KEY],
      ['a duplicate key, once escaped', String.raw`{"k":1,"\u006b":1}`, 'data.k', DUPLICATE_KEY],
      ['a duplicate __proto__ key', '{"__proto__":1,"__proto__":2}', 'data.__proto__', DUPLICATE_KEY],
      ['101 levels of nesting', nestedData(100), 'data', TOO_DEEP],
      ['10,000 levels of nesting', nestedData(10_000), 'data', TOO_DEEP],
      ['100,000 levels of nesting', nestedData(100_000), 'data', TOO_DEEP],
    ])('rejects data that contains %s', async (_, data, path, message) => {
      await expectRejected(withData(data), { [path]: [message] });
    });

    it.each(['colour', 'Name', 'id', '', '__proto__', 'constructor', 'toString'])(
      'rejects the unknown field "%s"',
      async (field) => {
        const event = JSON.stringify(anEvent()).replace('{', `{${JSON.stringify(field)}:{"category":"x"},`);
        const { body } = await eye.post('/events/', event);
        expect(Object.entries(body.errors)).toEqual([[field, ['Unknown field.']]]);
        expect((await eye.post('/events/', `[${event},${JSON.stringify(anEvent())}]`)).body.accepted).toBe(1);
      },
    );

    it('rejects a duplicate field', async () => {
      const event = JSON.stringify(anEvent()).replace('{', '{"session_id":"another",');
      await expectRejected(event, { session_id: [DUPLICATE_KEY] });
    });

    it('reports every invalid field', async () => {
      await expectRejected('{"name":"","data":7,"timestamp":"now","colour":1}', {
        colour: ['Unknown field.'],
        session_id: ['This field is required.'],
        category: ['This field is required.'],
        name: ['Must not be empty.'],
        data: ['Must be a JSON object.'],
        timestamp: [NOT_ISO],
      });
    });
  });

  it('POST /events stores __proto__, constructor and toString as ordinary keys of data', async () => {
    const data = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},"toString":1}';
    const { body } = await eye.store(withData(data));
    const { body: found } = await eye.get(`/events/${body.id}/`);
    expect(new Map(Object.entries(found.data))).toEqual(new Map(Object.entries(JSON.parse(data))));
    const { body: next } = await eye.store(anEvent({ data: {} }));
    expect(JSON.stringify(next.data)).toBe('{}');
  });

  describe('Query parameters', () => {
    it.each([
      ['colour=red', 'colour'],
      ['constructor=x', 'constructor'],
      ['__proto__=x', '__proto__'],
      ['toString=x', 'toString'],
      ['Session_id=s', 'Session_id'],
      ['session_id[]=s', 'session_id[]'],
      ['limit=5', 'limit'],
      ['session_id=a&session_id=b', 'session_id'],
      ['category=a&category=a', 'category'],
      ['timestamp_after=2021-01-01&timestamp_after=2021-01-01', 'timestamp_after'],
      ['ordering=timestamp&ordering=-timestamp', 'ordering'],
      ['session_id=%00', 'session_id'],
      ['category=a%00b', 'category'],
      ['name=%00', 'name'],
      ['timestamp_after=%00', 'timestamp_after'],
      ['timestamp_after=yesterday', 'timestamp_after'],
      ['timestamp_after=2021-02-30', 'timestamp_after'],
      ['timestamp_before=2021-01-01T25:00', 'timestamp_before'],
      ['timestamp_before=', 'timestamp_before'],
      ['timestamp_before=0000-01-01', 'timestamp_before'],
      ['timestamp_before=99999-01-01', 'timestamp_before'],
      ['ordering=name', 'ordering'],
      ['ordering=', 'ordering'],
      ['page=0', 'page'],
      ['page=-1', 'page'],
      ['page=1.5', 'page'],
      ['page=99999999999999999999', 'page'],
      ['page_size=', 'page_size'],
      ['page_size=1001', 'page_size'],
      ['cursor=', 'cursor'],
      ['cursor=nonsense', 'cursor'],
      ['cursor=%00', 'cursor'],
    ])('GET /events rejects ?%s', async (query, parameter) => {
      const response = await eye.get(`/events/?${query}`);
      expectProblem(response, 400, 'invalid');
      expect(Object.keys(response.body.errors)).toEqual([parameter]);
    });

    it.each([
      'page=x',
      'page=1&page=2',
      'page_size=1&page_size=1',
      'page=NaN',
      'page=Infinity',
      'cursor=a&cursor=b',
    ])('GET /events names the invalid parameter of ?%s', async (query) => {
      const { status, body } = await eye.get(`/events/?${query}`);
      expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid' });
      expect(Object.keys(body.errors)).toEqual([query.split('=', 1)[0]]);
    });

    it.each([
      ['POST', '/events/?dry_run=true'],
      ['GET', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/?dry_run=true'],
      ['GET', '/rejections/?dry_run=true'],
      ['GET', '/rejections/summary/?dry_run=true'],
      ['POST', '/rejections/retry/?dry_run=true'],
      ['GET', '/rejections/0176bd3b-005b-80ee-8ee4-da401add9c02/?dry_run=true'],
      ['POST', '/rejections/0176bd3b-005b-80ee-8ee4-da401add9c02/retry/?dry_run=true'],
    ])('%s %s rejects an unknown parameter', async (method, path) => {
      const body = method === 'POST' ? JSON.stringify(anEvent()) : null;
      const response = await eye.request(method, path, {
        body,
        headers: { 'content-type': 'application/json' },
      });
      expectProblem(response, 400, 'invalid');
      expect(response.body.errors).toEqual({ dry_run: ['Unknown parameter.'] });
    });

    describe('GET /events with a cursor', () => {
      let cursor: string;
      beforeAll(async () => {
        const session_id = 'cursor';
        await eye.store([
          anEvent({ session_id }),
          anEvent({ session_id, name: 'b' }),
          anEvent({ session_id, name: 'c' }),
        ]);
        const { body } = await eye.get('/events/?session_id=cursor&page_size=1');
        cursor = new URL(body.next).searchParams.get('cursor') ?? '';
        expect((await eye.get(`/events/?session_id=cursor&cursor=${cursor}`)).status).toBe(200);
      });

      const expectCursorRejected = async (query: string, message: RegExp): Promise<void> => {
        const response = await eye.get(`/events/?${query}`);
        expectProblem(response, 400, 'invalid');
        expect(response.body.errors).toEqual({ cursor: [expect.stringMatching(message)] });
      };

      it('rejects a cursor with any character changed', async () => {
        for (let at = 0; at < cursor.length; at += 7) {
          const other = cursor[at] === 'A' ? 'B' : 'A';
          const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
          await expectCursorRejected(`session_id=cursor&cursor=${changed}`, /another query|issued/);
        }
      });

      it('rejects a truncated or extended cursor', async () => {
        await expectCursorRejected(`session_id=cursor&cursor=${cursor.slice(0, -1)}`, /issued/);
        await expectCursorRejected(`session_id=cursor&cursor=${cursor}A`, /issued/);
        await expectCursorRejected(`session_id=cursor&cursor=${cursor}=`, /issued/);
        await expectCursorRejected(`session_id=cursor&cursor=${cursor.repeat(20)}`, /issued/);
      });

      it.each([
        '',
        'session_id=other&',
        'session_id=cursor&category=c&',
        'session_id=cursor&timestamp_after=2021-01-01&',
        'session_id=cursor&ordering=timestamp&',
      ])('rejects a cursor of another query with the filters ?%s', async (query) => {
        await expectCursorRejected(`${query}cursor=${cursor}`, /belongs to another query/);
      });

      it('rejects a cursor combined with a page number', async () => {
        await expectCursorRejected(`session_id=cursor&page=1&cursor=${cursor}`, /cannot be combined/);
      });
    });
  });

  describe('Paths and methods', () => {
    it.each([
      ['GET', '/nothing'],
      ['GET', '/EVENTS/'],
      ['GET', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/more'],
      ['GET', '/events/%00'],
      ['GET', '/events/%2e%2e%2f'],
      ['GET', '/docs/nothing.js'],
      ['GET', '//events/'],
      ['GET', '//evil.example/'],
      ['OPTIONS', '/nothing'],
    ])('%s %s returns 404', async (method, path) => {
      expectProblem(await eye.request(method, `${eye.url}${path}`), 404, 'not_found');
    });

    it.each([
      ['PUT', '/events/', 'GET, HEAD, POST, OPTIONS'],
      ['PROPFIND', '/events', 'GET, HEAD, POST, OPTIONS'],
      ['PATCH', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/', 'GET, HEAD, OPTIONS'],
      ['DELETE', '/events/0176bd3b-005b-80ee-8ee4-da401add9c02/', 'GET, HEAD, OPTIONS'],
      ['GET', '/statistics/funnel/', 'POST, OPTIONS'],
      ['POST', '/event-types/a/b', 'DELETE, GET, HEAD, PUT, OPTIONS'],
      ['POST', '/', 'GET, HEAD, OPTIONS'],
      ['POST', '/docs', 'GET, HEAD, OPTIONS'],
      ['DELETE', '/dashboard/main.js', 'GET, HEAD, OPTIONS'],
    ])('%s %s returns 405 with the methods of the path', async (method, path, allow) => {
      for (const init of [{}, { body: 'x', headers: { 'content-type': 'text/plain' } }]) {
        if (method === 'GET' && 'body' in init) continue;
        const response = await eye.request(method, path, init);
        expectProblem(response, 405, 'method_not_allowed');
        expect(response.headers.get('allow')).toBe(allow);
      }
    });

    it('OPTIONS returns 204 with the methods of a path', async () => {
      for (const body of [undefined, 'x']) {
        const { status, headers } = await eye.request('OPTIONS', '/events/', body ? { body } : {});
        expect([status, headers.get('allow')]).toEqual([204, 'GET, HEAD, POST, OPTIONS']);
      }
    });

    it.each([
      ['If-Match', '"another version"', 412, 'precondition_failed'],
      ['Range', 'bytes=1000000000-', 416, 'range_not_satisfiable'],
    ])('GET of a file with %s: %s returns %i', async (name, value, status, code) => {
      for (const path of ['/dashboard/main.js', '/docs/swagger-ui.css'])
        expectProblem(await eye.get(path, { [name]: value }), status, code);
    });

    it('GET of a path outside of the folder of files returns 403', async () => {
      expectProblem(await eye.get('/dashboard/..%2fx'), 403, 'forbidden');
    });

    it('HEAD returns the headers of GET, and starts no export and no stream', async () => {
      for (const path of ['/', '/events/', '/events/export', '/events/stream', '/metrics', '/health/live']) {
        const { status, headers } = await fetch(`${eye.url}${path}`, { method: 'HEAD' });
        expect([path, status, headers.get('content-type')]).toEqual([
          path,
          200,
          (await eye.get(path)).headers.get('content-type'),
        ]);
      }
    });

    it('X-HTTP-Method-Override does not change the method', async () => {
      const response = await eye.post('/events/', anEvent(), { 'x-http-method-override': 'DELETE' });
      expect(response.status).toBe(202);
    });

    it('an unknown route returns 404 regardless of the body', async () => {
      const options = { body: 'x', headers: { 'content-type': 'text/plain' } };
      expectProblem(await eye.request('OPTIONS', '/nothing', options), 404, 'not_found');
      for (const type of ['text/plain', 'application/json', '/'])
        expectProblem(await eye.post('/nothing', '\0', { 'content-type': type }), 404, 'not_found');
    });

    it.each(['/%', '/events/%zz/', '/events/%c3%28'])('GET %s returns 400 malformed_url', async (path) => {
      expectProblem(await eye.get(path), 400, 'malformed_url');
    });

    it('GET /events/<id> returns 414 for a path that is too long', async () => {
      expectProblem(await eye.get(`/events/${'0'.repeat(5000)}/`), 414, 'path_too_long');
    });
  });

  describe('The HTTP server', () => {
    /** Sends bytes on a new connection, half-closes it if `end` is set, and resolves with every response once the server closes it. */
    const sendRaw = (bytes: string, end = false): Promise<EyeResponse[]> =>
      new Promise((resolve, reject) => {
        const began = performance.now();
        const { hostname, port } = new URL(eye.url);
        const socket = connect(Number(port), hostname, () => (end ? socket.end(bytes) : socket.write(bytes)));
        let text = '';
        socket.on('data', (chunk) => (text += chunk.toString()));
        socket.on('error', reject);
        socket.on('close', () => {
          const took = performance.now() - began;
          resolve(text.split(/(?=HTTP\/1\.1 )/).map((response) => ({ ...parseResponse(response), took })));
        });
      });

    const parseResponse = (response: string): Omit<EyeResponse, 'took'> => {
      const [head = '', body = ''] = response.split('\r\n\r\n', 2);
      const [statusLine = '', ...lines] = head.split('\r\n');
      const headers = new Headers(lines.map((line) => line.split(': ', 2) as [string, string]));
      const isJson = body !== '' && headers.get('content-type')?.includes('json');
      return { status: Number(statusLine.split(' ', 2)[1]), headers, body: isJson ? JSON.parse(body) : body };
    };

    /** Sends bytes on a new connection and resolves with the first response. */
    const sendRawOnce = async (bytes: string, end = false): Promise<EyeResponse> => {
      const [response] = await sendRaw(bytes, end);
      if (!response) throw new Error('No response.');
      return response;
    };

    const head = (lines: string, what = 'POST /events/'): string =>
      `${what} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n\r\n`;

    it.each([
      ['bytes that are not HTTP', 'hello\r\n\r\n'],
      ['an unknown method', 'SEND /events/ HTTP/1.1\r\nHost: localhost\r\n\r\n'],
      ['a non-numeric Content-Length', head('Content-Length: many')],
      ['a missing Host header', 'GET /events/ HTTP/1.1\r\nConnection: close\r\n\r\n'],
      ['a missing Host header of OPTIONS', 'OPTIONS /events/ HTTP/1.1\r\nConnection: close\r\n\r\n'],
      ['both Content-Length and Transfer-Encoding', head('Content-Length: 5\r\nTransfer-Encoding: chunked')],
      ['two Host headers', head('Host: localhost\r\nConnection: close', 'GET /health/live')],
      ['an empty Host header', 'GET /health/live HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n'],
      ['a Host with a user', 'GET /health/live HTTP/1.1\r\nHost: a@localhost\r\nConnection: close\r\n\r\n'],
      ['a Host that is percent-encoded', 'GET / HTTP/1.1\r\nHost: %6cocalhost\r\nConnection: close\r\n\r\n'],
      ['a Host with an invalid port', 'GET / HTTP/1.1\r\nHost: localhost:70000\r\nConnection: close\r\n\r\n'],
      ['a target without a host', head('Connection: close', 'GET http:///events/')],
      ['two Content-Lengths', head('Content-Length: 5\r\nContent-Length: 6')],
      ['a signed Content-Length', head('Content-Length: +5')],
      ['a coding before chunked', head('Connection: close\r\nTransfer-Encoding: gzip, chunked')],
      ['a last coding other than chunked', head('Transfer-Encoding: gzip')],
      [
        'a transfer coding in HTTP/1.0',
        'POST /events/ HTTP/1.0\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a folded header', head('X: a\r\n b', 'GET /health/live')],
      ['a NUL in a header', head('X: a\0b', 'GET /health/live')],
      ['a space before a colon', head('X : a', 'GET /health/live')],
      ['lines that end without CR', 'GET /health/live HTTP/1.1\nHost: localhost\n\n'],
      ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      [
        'an invalid chunk size',
        `${head('Content-Type: application/json\r\nTransfer-Encoding: chunked')}ZZ\r\n`,
      ],
      [
        'an invalid chunk size in NDJSON',
        `${head('Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked')}ZZ\r\n`,
      ],
    ])('returns 400 malformed_request for %s', async (_, bytes) => {
      expectProblem(await sendRawOnce(bytes), 400, 'malformed_request');
    });

    it('delivers 400 malformed_request to a client that goes on to send 5 MB', async () => {
      const oversized = `SEND /events/ HTTP/1.1\r\nHost: localhost\r\n\r\n${' '.repeat(5_000_000)}`;
      for (let time = 0; time < 8; time++)
        expectProblem(await sendRawOnce(oversized), 400, 'malformed_request');
    });

    it('returns 417 for an unsupported Expect header', async () => {
      const expecting = await sendRawOnce(head('Connection: close\r\nExpect: the unexpected'));
      expectProblem(expecting, 417, 'expectation_failed');
    });

    it.each([
      ['POST /events/', JSON.stringify(anEvent()), 202],
      ['POST /nowhere/', JSON.stringify(anEvent()), 404],
      ['PUT /events/', '', 405],
    ])(
      'ignores an unsupported Upgrade on %s and closes the connection after the response',
      async (what, body, status) => {
        const length =
          body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
        const upgrading = head(`${length}Connection: Upgrade\r\nUpgrade: h2c`, what);
        const response = await sendRawOnce(
          `${upgrading}${body}GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        );
        expect([response.status, response.headers.get('connection')]).toEqual([status, 'close']);
      },
    );

    it.each([
      ['bytes that are not HTTP', 'hello\r\n\r\n', 400],
      [
        'an invalid chunk size',
        `${head('Content-Type: application/json\r\nTransfer-Encoding: chunked')}ZZ\r\n`,
        400,
      ],
      ['a header section that is too large', head(`X: ${'x'.repeat(20_000)}`), 431],
      ['headers that do not arrive in time', 'POST /events/ HTTP/1.1\r\nX: ', 408],
    ])('responds to the pipelined requests before %s', async (_, bytes, status) => {
      const event = JSON.stringify(anEvent());
      const whole = head(`Content-Type: application/json\r\nContent-Length: ${event.length}`) + event;
      const responses = await sendRaw(whole + whole + bytes);
      expect(responses.map((each) => each.status)).toEqual([202, 202, status]);
    });

    it('returns 431 for a header section that is too large', async () => {
      expectProblem(await sendRawOnce(head(`X: ${'x'.repeat(20_000)}`)), 431, 'header_too_large');
    });

    it.each(['application/json', 'application/x-ndjson'])(
      'returns 400 and accepts nothing when the connection ends in the middle of a body of %s',
      async (type) => {
        const session_id = `cut-off-${type}`;
        const whole = `${JSON.stringify(anEvent({ session_id }))}\n`;
        const truncated = head(`Content-Type: ${type}\r\nContent-Length: ${whole.length * 2}`) + whole;
        expectProblem(await sendRawOnce(truncated, true), 400, 'malformed_request');
        await eye.drained();
        expect((await eye.get(`/events/?session_id=${encodeURIComponent(session_id)}`)).body.count).toBe(0);
      },
    );

    it('returns 408 when the headers do not arrive in time', async () => {
      const { took, ...response } = await sendRawOnce('POST /events/ HTTP/1.1\r\nHost: localhost\r\nX: ');
      expectProblem({ ...response, took: took - 3000 }, 408, 'request_timeout');
      expect(took).toBeGreaterThan(2500);
    });

    it.each(['application/json', 'application/x-ndjson'])(
      'returns 408 when a body of %s does not arrive in time',
      async (type) => {
        const { took, ...response } = await sendRawOnce(
          head(`Content-Type: ${type}\r\nContent-Length: 100`) + '{"session',
        );
        expectProblem({ ...response, took: took - 3000 }, 408, 'request_timeout');
        expect(took).toBeGreaterThan(2500);
      },
    );

    it.each([
      ['POST /events/', 'Connection: close\r\nContent-Type: text/plain', 415],
      ['POST /nowhere/', 'Connection: close', 404],
      ['GET /events/?page=0', 'Connection: close', 400],
      ['GET /docs/', 'Connection: close', 200],
      ['HEAD /events/', 'Connection: close', 200],
      ['POST /events/', 'Connection: close\r\nExpect: the unexpected', 417],
      ['POST /nowhere/', 'Connection: Upgrade\r\nUpgrade: h2c', 404],
    ])(
      'delivers the early response to %s and all earlier responses before it closes the connection',
      async (what, lines, status) => {
        const event = JSON.stringify(anEvent());
        const whole = head(`Content-Type: application/json\r\nContent-Length: ${event.length}`) + event;
        const early = head(`${lines}\r\nContent-Length: 5000000`, what) + ' '.repeat(5_000_000);
        for (let time = 0; time < 3; time++) {
          const responses = await sendRaw(whole + early);
          expect(responses.map((each) => each.status)).toEqual([202, status]);
          expect(responses[1]?.headers.get('connection')).toBe('close');
        }
      },
    );

    it.each([
      ['a name of a stranger', 'GET /events/', 'attacker.example:8000'],
      ['a name without a dot', 'GET /health/live', 'll'],
      ['a name that ends like localhost', 'GET /', 'evillocalhost'],
      ['a target of a stranger', 'GET http://attacker.example/events/', 'localhost'],
    ])('returns 421 for %s as the host', async (_, what, host) => {
      const response = await sendRawOnce(`${what} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      expectProblem(response, 421, 'wrong_host');
      expect(response.body.detail).toContain('ALLOWED_HOSTS');
    });

    it.each([
      ['a loopback name', '/health/live', 'localhost:1'],
      ['a name below localhost', '/health/live', 'EYE.localhost.'],
      ['an IPv4 address', '/health/live', '10.1.2.3:8000'],
      ['an IPv6 address', '/health/live', '[fd00::1]:8000'],
      ['a target in absolute form', 'http://localhost:8000/health/live', 'attacker.example'],
    ])('accepts %s as the host', async (_, target, host) => {
      const lines = `Host: ${host}\r\nConnection: close`;
      expect((await sendRawOnce(`GET ${target} HTTP/1.1\r\n${lines}\r\n\r\n`)).status).toBe(200);
    });

    it('responds to HTTP/1.0 without a Host', async () => {
      for (const path of ['/events/', '/events/export?format=csv', '/', '/docs']) {
        const { status, headers } = await sendRawOnce(`GET ${path} HTTP/1.0\r\n\r\n`);
        expect([path, status, headers.get('connection')]).toEqual([path, 200, 'close']);
        expect(headers.get('transfer-encoding')).toBeNull();
      }
    });

    it('returns 405 for CONNECT and TRACE, and 204 for OPTIONS of the whole server', async () => {
      expectProblem(await sendRawOnce(head('', 'CONNECT evil.example:443')), 405, 'method_not_allowed');
      expectProblem(
        await sendRawOnce(head('Connection: close', 'TRACE /events/')),
        405,
        'method_not_allowed',
      );
      expect((await sendRawOnce(head('Connection: close', 'OPTIONS *'))).status).toBe(204);
    });

    it.each([
      [
        '413',
        'POST /events/',
        'Content-Type: application/json\r\nContent-Length: 99999999',
        'body_too_large',
      ],
      ['415', 'POST /events/', 'Content-Type: text/plain\r\nContent-Length: 9', 'unsupported_media_type'],
      [
        '415',
        'POST /events/',
        'Content-Type: application/json\r\nContent-Encoding: compress\r\nContent-Length: 9',
        'unsupported_media_type',
      ],
      ['421', 'POST http://evil.example/events/', 'Content-Length: 9', 'wrong_host'],
      ['404', 'POST /nothing', 'Content-Length: 9', 'not_found'],
      ['405', 'PUT /events/', 'Content-Length: 9', 'method_not_allowed'],
    ])('returns %s to %s with %s at once, without 100 Continue', async (status, what, lines, code) => {
      const responses = await sendRaw(head(`${lines}\r\nExpect: 100-continue`, what));
      expect(responses).toHaveLength(1);
      expectProblem(responses[0] as EyeResponse, Number(status), code);
      expect(responses[0]?.headers.get('connection')).toBe('close');
    });

    it.each(['application/json', 'application/x-ndjson'])(
      'sends 100 Continue before it reads a body of %s',
      async (type) => {
        const event = JSON.stringify(anEvent());
        const lines = `Content-Type: ${type}\r\nContent-Length: ${event.length}\r\nExpect: 100-continue`;
        const responses = await sendRaw(`${head(`Connection: close\r\n${lines}`)}${event}`);
        expect(responses.map(({ status }) => status)).toEqual([100, 202]);
      },
    );

    it('names the accepted types or the accepted codings in a 415', async () => {
      const ofType = await eye.post('/events/', 'x', { 'content-type': 'text/plain' });
      expectProblem(ofType, 415, 'unsupported_media_type');
      expect(ofType.headers.get('accept')).toContain('application/x-ndjson');
      expect(ofType.headers.get('accept-post')).toBe(ofType.headers.get('accept'));
      expect(ofType.headers.get('accept-encoding')).toBeNull();
      const ofCoding = await eye.post('/events/', '{}', { 'content-encoding': 'compress' });
      expectProblem(ofCoding, 415, 'unsupported_media_type');
      expect(ofCoding.headers.get('accept-encoding')).toBe('gzip, deflate, br, zstd, identity');
      expect(ofCoding.headers.get('accept')).toBeNull();
    });

    it('limits the bytes that one address sends at once, and still accepts small bodies', async () => {
      const start = head('Content-Type: application/json\r\nContent-Length: 5000000');
      const { hostname, port } = new URL(eye.url);
      // Again with new connections, since those that send nothing for a second lose their place.
      const refused = await eventually(async () => {
        const sockets = Array.from({ length: 3 }, () => connect(Number(port), hostname));
        for (const socket of sockets) socket.on('error', () => undefined).write(`${start}{`);
        try {
          await Promise.all(sockets.map((socket) => once(socket, 'connect')));
          const response = await eye.post('/events/', ' '.repeat(5_000_000));
          expect(response.status).toBe(429);
          expect((await eye.post('/events/', anEvent())).status).toBe(202);
          return response;
        } finally {
          for (const socket of sockets) socket.destroy();
        }
      });
      expectProblem(refused, 429, 'rate_limited');
      expect(refused.headers.get('retry-after')).toBe('1');
    });

    it('returns 413 for a Content-Length beyond the limit before the body arrives', async () => {
      for (const type of ['application/json', 'application/x-ndjson']) {
        const huge = head(`Connection: close\r\nContent-Type: ${type}\r\nContent-Length: 99999999999`);
        expectProblem(await sendRawOnce(huge), 413, 'body_too_large');
      }
    });
  });
});
