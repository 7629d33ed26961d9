import { Load } from '../support/load.js';
import { type EyeResponse, anEvent, eventually, onTime, TheEye } from '../../testing/the-eye.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';

const SCHEMA = {
  type: 'object',
  properties: {
    form: { type: 'object', properties: { first_name: { type: 'string' } }, required: ['first_name'] },
  },
  required: ['form'],
};
const GOOD = { form: { first_name: 'Ada' } };
const BAD = { form: { first_name: 42 } };
const CHANGED_BY = { application: 'default', key_id: null };

let typeCount = 0;

/** An unused event type whose category and name need URL encoding. */
function aType(): { category: string; name: string; path: string } {
  const category = 'form interaction/ö';
  const name = `submit % ${typeCount++}`;
  return {
    category,
    name,
    path: `/event-types/${encodeURIComponent(category)}/${encodeURIComponent(name)}/`,
  };
}

const put = (eye: TheEye, path: string, body: unknown): Promise<EyeResponse> =>
  eye.request('PUT', path, {
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

const enforce = async (eye: TheEye, path: string, schema: unknown = SCHEMA): Promise<void> => {
  const { status } = await put(eye, path, { schema, mode: 'enforce' });
  expect([200, 201]).toContain(status);
};

describe('An event type', () => {
  let eye: TheEye;
  beforeAll(async () => {
    eye = await startEyeWithClickHouse();
  });
  afterAll(() => eye.close());

  const send = (type: { category: string; name: string }, data: unknown, to = eye): Promise<EyeResponse> =>
    to.post('/events/', anEvent({ category: type.category, name: type.name, data }));

  const expectInvalid = ({ status, headers, body }: EyeResponse, errors: unknown): void => {
    expect({ status, code: body.code, errors: body.errors }).toEqual({
      status: 400,
      code: 'invalid',
      errors,
    });
    expect(headers.get('content-type')).toMatch('application/problem+json');
  };

  describe('registered with PUT', () => {
    it('is created with 201 and returned by GET exactly as sent', async () => {
      const { category, name, path } = aType();
      const schema = '{"type":"object","properties":{"z":{"maximum":0.1},"a":{"const":"\\u0000ü"}}}';
      const created = await put(eye, path, `{"schema":${schema},"mode":"observe"}`);
      expect({ status: created.status, body: created.body }).toEqual({
        status: 201,
        body: {
          category,
          name,
          version: 1,
          mode: 'observe',
          schema: JSON.parse(schema),
          changed_by: CHANGED_BY,
          changed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        },
      });
      for (const same of [path, path.slice(0, -1)]) {
        const found = await eye.get(same);
        expect({ status: found.status, body: found.body }).toEqual({ status: 200, body: created.body });
        expect(JSON.stringify(found.body.schema)).toBe(JSON.stringify(JSON.parse(schema)));
      }
    });

    it('rejects events that violate its schema with field errors and accepts the others', async () => {
      const type = aType();
      expect((await send(type, BAD)).status).toBe(202);
      await enforce(eye, type.path);
      expectInvalid(await send(type, BAD), { 'data.form.first_name': ['must be string, not 42'] });
      expectInvalid(await send(type, {}), { 'data.form': ['is required'] });
      expect((await send(type, GOOD)).status).toBe(202);
      expect((await send({ ...type, name: 'other' }, BAD)).status).toBe(202);
      const many = await eye.post('/events/', [
        anEvent({ ...type, path: undefined, data: GOOD }),
        anEvent({ ...type, path: undefined, data: { form: {} } }),
      ]);
      expect(many.body).toMatchObject({
        accepted: 1,
        rejected: [{ index: 1, errors: { 'data.form.first_name': ['is required'] } }],
      });
    });

    it('accepts events that violate its schema in observe mode', async () => {
      const type = aType();
      await put(eye, type.path, { schema: SCHEMA, mode: 'observe' });
      expect((await send(type, BAD)).status).toBe(202);
      await put(eye, type.path, { schema: SCHEMA, mode: 'enforce' });
      expect((await send(type, BAD)).status).toBe(400);
    });

    it('gets a new version for each change and none for an unchanged definition', async () => {
      const type = aType();
      const loose = { type: 'object' };
      const steps: [unknown, number][] = [
        [{ schema: SCHEMA, mode: 'enforce' }, 201],
        [{ schema: SCHEMA, mode: 'enforce' }, 200],
        [{ schema: SCHEMA, mode: 'observe' }, 200],
        [{ schema: loose, mode: 'observe' }, 200],
      ];
      for (const [body, status] of steps) expect((await put(eye, type.path, body)).status).toBe(status);
      const deleted = await eye.request('DELETE', type.path);
      expect({ status: deleted.status, body: deleted.body }).toEqual({ status: 204, body: '' });
      expect((await put(eye, type.path, { schema: SCHEMA, mode: 'enforce' })).status).toBe(201);

      const { body } = await eye.get(`${type.path}versions/`);
      expect(body.next).toBeNull();
      expect(body.results.map(({ version, mode, schema }: any) => [version, mode, schema])).toEqual([
        [5, 'enforce', SCHEMA],
        [4, null, null],
        [3, 'observe', loose],
        [2, 'observe', SCHEMA],
        [1, 'enforce', SCHEMA],
      ]);
      for (const version of body.results) expect(version.changed_by).toEqual(CHANGED_BY);
      const first = await eye.get(`${type.path}versions/?limit=3`);
      const second = await eye.get(first.body.next);
      expect([...first.body.results, ...second.body.results]).toEqual(body.results);
      expect(second.body.next).toBeNull();
    });

    it('accepts every event and returns 404 after it is deleted', async () => {
      const type = aType();
      await enforce(eye, type.path);
      expect((await send(type, BAD)).status).toBe(400);
      expect((await eye.request('DELETE', type.path)).status).toBe(204);
      expect((await send(type, BAD)).status).toBe(202);
      for (const method of ['GET', 'DELETE']) {
        const { status, body } = await eye.request(method, type.path);
        expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' });
      }
      expect((await eye.get(`${type.path}versions`)).status).toBe(200);
    });

    it('gets one version for each accepted change when clients change it concurrently', async () => {
      const { path } = aType();
      const responses = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          put(eye, path, { schema: { minProperties: index }, mode: 'enforce' }),
        ),
      );
      const accepted = responses.filter(({ status }) => status !== 409);
      expect(accepted.map(({ status }) => status).sort()).toEqual([
        ...new Array<number>(accepted.length - 1).fill(200),
        201,
      ]);
      const versions = accepted.map(({ body }) => body.version).sort((a, b) => a - b);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
      expect((await eye.get(`${path}versions/`)).body.results).toHaveLength(versions.length);
    });

    it('can have a name and a category that clients resolve as parts of a path', async () => {
      const of = (route = ''): string => `/event-types/_/_/${route}?category=..&name=.`;
      await enforce(eye, of());
      expect((await eye.get(of())).body).toMatchObject({ category: '..', name: '.', version: 1 });
      expect((await eye.get(of('versions/'))).body.results).toHaveLength(1);
      // While much is being copied, it may be answered 503.
      await eventually(async () => expect((await eye.post(of('check/'), { schema: {} })).status).toBe(200));
      const refused = await eye.post('/events/', anEvent({ category: '..', name: '.', data: {} }));
      expect(refused.status).toBe(400);
      expect((await eye.request('DELETE', of())).status).toBe(204);
      expect((await eye.get(of())).status).toBe(404);
    });

    it('is listed by category and name, with pagination, until it is deleted', async () => {
      const types = ['b/1', 'b/2', 'b/3', 'c/1'].map((name) => ({ category: 'list', name }));
      const pathOf = ({ category, name }: { category: string; name: string }): string =>
        `/event-types/${category}/${encodeURIComponent(name)}/`;
      for (const type of types) await enforce(eye, pathOf(type));
      await eye.request('DELETE', pathOf({ category: 'list', name: 'b/2' }));
      const listed: any[] = [];
      let pages = 0;
      for (let next: string | null = '/event-types/?limit=2'; next !== null; pages++) {
        const { status, body } = await eye.get(next);
        expect(status).toBe(200);
        listed.push(...body.results);
        next = body.next;
      }
      expect(pages).toBe(Math.max(1, Math.ceil(listed.length / 2)));
      expect(listed.filter(({ category }) => category === 'list').map(({ name }) => name)).toEqual([
        'b/1',
        'b/3',
        'c/1',
      ]);
      expect((await eye.get('/event-types')).body.results).toEqual(listed);
    });
  });

  describe('definition', () => {
    it.each<[string, unknown, string, RegExp]>([
      ['is recursive', { properties: { a: { $ref: '#' } } }, 'schema.properties.a.$ref', /recursive/],
      ['has a remote reference', { $ref: 'https://example.com/s.json' }, 'schema.$ref', /elsewhere/],
      [
        'has an unknown keyword',
        { properties: { a: { requierd: [] } } },
        'schema.properties.a.requierd',
        /Unknown keyword/,
      ],
      [
        'has a look-behind pattern',
        { properties: { a: { pattern: '(?<=a)b' } } },
        'schema.properties.a.pattern',
        /RE2/,
      ],
      ['has an invalid keyword value', { type: 'objekt' }, 'schema.type', /allowed/],
      ['is too large', { description: 'x'.repeat(70_000) }, 'schema', /65536/],
      ['is a string', 'object', 'schema', /object/],
      ['is null', null, 'schema', /object/],
    ])('is rejected when its schema %s', async (_, schema, path, message) => {
      const type = aType();
      for (const response of [
        await put(eye, type.path, { schema, mode: 'enforce' }),
        await eye.post(`${type.path}check/`, { schema }),
      ])
        expectInvalid(response, { [path]: expect.arrayContaining([expect.stringMatching(message)]) });
      expect((await eye.get(type.path)).status).toBe(404);
    });

    it.each<[string, string, unknown]>([
      [
        'is an empty object',
        '{}',
        { schema: ['This field is required.'], mode: ['This field is required.'] },
      ],
      ['has an unknown mode', '{"schema":{},"mode":"strict"}', { mode: ['Must be enforce or observe.'] }],
      [
        'has unknown fields',
        '{"schema":{},"mode":"observe","a":1,"__proto__":2}',
        { a: ['Unknown field.'], ['__proto__']: ['Unknown field.'] },
      ],
      [
        'has a duplicate key',
        '{"schema":{"type":"object","type":"array"},"mode":"observe"}',
        { 'schema.type': [expect.stringMatching('twice')] },
      ],
      [
        'has a number that would lose precision',
        '{"schema":{"const":9007199254740993},"mode":"observe"}',
        { 'schema.const': [expect.stringMatching('9007199254740993')] },
      ],
    ])('is rejected when the body %s', async (_, body, errors) => {
      const response = await put(eye, aType().path, body);
      expect(response.status).toBe(400);
      expect(Object.entries(response.body.errors)).toEqual(Object.entries(errors as object));
    });

    it.each([
      ['not JSON', '{', 400, 'malformed_json'],
      ['empty', '', 400, 'empty_body'],
      ['an array', '[]', 400, 'invalid'],
      [
        'too deeply nested',
        `{"schema":${'{"not":'.repeat(5000)}{}${'}'.repeat(5000)},"mode":"observe"}`,
        400,
        'invalid',
      ],
    ])('is rejected when the body is %s', async (_, text, status, code) => {
      const response = await put(eye, aType().path, text);
      expect({ status: response.status, code: response.body.code }).toEqual({ status, code });
    });

    it('is rejected when its path, a parameter or the content type is invalid', async () => {
      const long = encodeURIComponent('\u{1F600}'.repeat(256));
      for (const widest of ['\u{1F600}', '/', '%'])
        expect((await eye.get(`/event-types/${encodeURIComponent(widest.repeat(255))}/a/`)).status).toBe(404);
      expectInvalid(await eye.get(`/event-types/${long}/a/`), {
        category: ['Must not exceed 255 characters.'],
      });
      expectInvalid(await eye.get('/event-types/a/%00/'), { name: [expect.stringMatching('U\\+0000')] });
      expectInvalid(await eye.get('/event-types/a/b/?x=1'), { x: ['Unknown parameter.'] });
      expectInvalid(await eye.get('/event-types/?x=1'), { x: ['Unknown parameter.'] });
      expectInvalid(await eye.get('/event-types/?limit=1001'), { limit: ['Must be at most 1000.'] });
      expectInvalid(await eye.get('/event-types/?after=nonsense'), { after: [expect.any(String)] });
      expectInvalid(await eye.get('/event-types/a/b/versions/?after=x'), {
        after: expect.arrayContaining(['Must be a whole number.']),
      });
      expectInvalid(await eye.post('/event-types/a/b/check/', { schema: {}, limit: 10_001 }), {
        limit: ['Must be at most 10000.'],
      });
      expect((await eye.get('/event-types/a/b/versions/')).status).toBe(404);
      const lines = await eye.request('PUT', '/event-types/a/b/', {
        body: '{}',
        headers: { 'content-type': 'application/x-ndjson' },
      });
      expect(lines.status).toBe(415);
    });

    it('can contain a pattern prone to catastrophic backtracking without slowing POST /events', async () => {
      const type = aType();
      await enforce(eye, type.path, { properties: { text: { type: 'string', pattern: '(a+)+$' } } });
      const { status, took } = await send(type, { text: `${'a'.repeat(60_000)}!` });
      expect(status).toBe(400);
      expect(took).toBeLessThan(5000);
    });

    it('rejects by name an event that takes too many steps to check, and accepts a small one', async () => {
      const type = aType();
      const branches = Array.from({ length: 600 }, (_, index) => ({ const: index }));
      await enforce(eye, type.path, { properties: { list: { items: { anyOf: branches } } } });
      expectInvalid(await send(type, { list: new Array<number>(15_000).fill(599) }), {
        data: [expect.stringMatching(/^Takes more than 200,000 steps to check/)],
      });
      expect((await send(type, { list: [599] })).status).toBe(202);
    });
  });

  describe('before enforcement', () => {
    const type = { ...aType(), category: 'stored / events' };
    const path = `/event-types/${encodeURIComponent(type.category)}/${encodeURIComponent(type.name)}/`;
    beforeAll(async () => {
      const data = (index: number): object => ({
        index,
        plan: index % 2 ? 'free' : 'paid',
        ...(index % 3 ? {} : { half: index / 2 }),
      });
      await eye.store(
        Array.from({ length: 450 }, (_, index) =>
          anEvent({
            category: type.category,
            name: type.name,
            data: data(index),
            timestamp: `2022-01-01T00:00:00.${String(index).padStart(6, '0')}Z`,
          }),
        ),
      );
    });

    it('can be checked against the stored events', async () => {
      const schema = { properties: { index: { maximum: 439 } } };
      const all = await eye.post(`${path}check/`, { schema });
      expect(all.status).toBe(200);
      expect(all.body).toMatchObject({ examined: 450, refused: 10 });
      expect(all.body.examples).toHaveLength(10);
      for (const { id, errors } of all.body.examples) {
        const { index } = (await eye.get(`/events/${id}/`)).body.data;
        expect(errors).toEqual({ 'data.index': [`must be <= 439, not ${index}`] });
      }
      const newest = await eye.post(`${path}check`, { schema, limit: 205 });
      expect(newest.body).toMatchObject({ examined: 205, refused: 10 });
      expect((await eye.post(`${path}check/`, { schema: {} })).body).toEqual({
        examined: 450,
        refused: 0,
        examples: [],
      });
      expect((await eye.get(path)).status).toBe(404);
      const none = await eye.post('/event-types/nobody/sent/check/', { schema });
      expect({ status: none.status, body: none.body }).toEqual({
        status: 200,
        body: { examined: 0, refused: 0, examples: [] },
      });
    });

    it('gets a suggested schema that all stored events match', async () => {
      const { status, body } = await eye.get(`${path}suggestion/`);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        examined: 450,
        schema: {
          type: 'object',
          properties: {
            index: { type: 'integer' },
            plan: { type: 'string', enum: ['free', 'paid'] },
            half: { type: 'number' },
          },
        },
      });
      expect(body.schema.required.sort()).toEqual(['index', 'plan']);
      const { schema } = body;
      expect((await eye.post(`${path}check/`, { schema })).body).toMatchObject({ examined: 450, refused: 0 });
      await enforce(eye, path, schema);
      expect((await send(type, { index: 1, plan: 'gold' })).status).toBe(400);
    });

    it('gets 404 instead of a suggested schema when no events are stored', async () => {
      const { status, body } = await eye.get('/event-types/nobody/sent/suggestion/');
      expect({ status, code: body.code }).toEqual({ status: 404, code: 'not_found' });
    });
  });

  describe('shared by several processes', () => {
    let other: TheEye;
    beforeAll(async () => {
      other = await eye.startPeer({ ROLE: 'api' });
    });
    afterAll(() => other.end());

    it('takes effect in the other processes within seconds and after a restart', async () => {
      const type = aType();
      expect((await send(type, BAD, other)).status).toBe(202);
      await enforce(eye, type.path);
      await eventually(async () => expect((await send(type, BAD, other)).status).toBe(400), onTime(2000));
      await other.end();
      await other.start();
      expect((await send(type, BAD, other)).status).toBe(400);
      await eye.request('DELETE', type.path);
      await eventually(async () => expect((await send(type, BAD, other)).status).toBe(202), onTime(2000));
    });

    it('can change under load: every accepted event is stored, every rejection has field errors', async () => {
      // The type of the events that Load sends; each round enforces a schema that rejects all of them, then one that accepts all.
      const path = '/event-types/page%20interaction/pageview/';
      const strict = { properties: { price: { type: 'string' } } };
      const loads = [Load.on(eye, { senders: 4 }), Load.on(other, { senders: 4 })];
      for (let round = 0; round < 3; round++) {
        await enforce(eye, path, strict);
        expect((await send({ category: 'page interaction', name: 'pageview' }, { price: 1 })).status).toBe(
          400,
        );
        await Promise.all(loads.map((load) => load.waitForResponses(400, 20)));
        await enforce(eye, path, {});
        expect((await send({ category: 'page interaction', name: 'pageview' }, { price: 1 })).status).toBe(
          202,
        );
        await Promise.all(loads.map((load) => load.waitForResponses(202, 20)));
      }
      await eye.request('DELETE', path);
      await Promise.all(loads.map((load) => load.stop()));
      for (const load of loads) {
        expect([...load.statuses.keys()].filter((status) => status !== 202 && status !== 400)).toEqual([]);
        for (const fault of load.faults.splice(0))
          expect(fault).toContain('"data.price":["must be string, not 0.1"]');
        await load.expectStored(eye);
      }
    });
  });

  it.each([
    ['observe', 202],
    ['refuse', 400],
  ])(
    'that is not registered, with UNKNOWN_TYPES=%s, makes POST /events return %d',
    async (UNKNOWN_TYPES, status) => {
      const type = aType();
      const strict = await eye.startPeer({ ROLE: 'api', UNKNOWN_TYPES });
      try {
        const response = await send(type, GOOD, strict);
        expect(response.status).toBe(status);
        if (status === 400)
          expectInvalid(response, { name: [`There is no event type (${type.category}, ${type.name}).`] });
        await enforce(strict, type.path);
        expect((await send(type, GOOD, strict)).status).toBe(202);
        await strict.request('DELETE', type.path);
        expect((await send(type, GOOD, strict)).status).toBe(status);
      } finally {
        await strict.end();
      }
    },
  );
});
