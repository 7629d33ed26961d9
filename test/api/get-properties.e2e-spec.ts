import { Admin, bearer } from '../../testing/keys.js';
import { anEvent, eventually, type TheEye } from '../../testing/the-eye.js';
import { startEmbedded } from '../support/start-eye.js';

const RANGE = 'from=2021-01-01&to=2021-01-31';
const at = (day: number): string => `2021-01-${String(day).padStart(2, '0')}T00:00:00.000000Z`;

describe('GET /properties/ and GET /statistics/top/ with a property', () => {
  let eye: TheEye;
  let shop: string;

  beforeAll(async () => {
    eye = await startEmbedded();
    const admin = await Admin.of(eye);
    shop = (await admin.create('shop', { scope: 'read' })).key;
    const sender = (await admin.create('shop', { scope: 'ingest' })).key;
    const events = [
      { session_id: 'a', data: { path: '/', user: { plan: 'pro', id: 1 }, 'a.b': 'x' } },
      { session_id: 'a', data: { path: '/', user: { plan: 'free' }, tags: ['x'], none: null } },
      { session_id: 'b', data: { path: '/shop', user: { plan: '1', id: 1.5 }, 'a.b': '2021-01-01' } },
      { session_id: 'b', data: { path: 42, paid: true, big: 1e300 } },
      { session_id: 'c', data: { path: 42, paid: false, empty: {} } },
    ].map((fields, index) => anEvent({ ...fields, timestamp: at(index + 10) }));
    await eye.store(events);
    await eye.store(anEvent({ timestamp: '2020-12-15T00:00:00Z', data: { path: '/' } }));
    const sent = await eye.post('/events/', anEvent({ timestamp: at(20), data: { path: '/', secret: 1 } }), {
      ...bearer(sender),
      prefer: 'wait=20',
    });
    expect(sent.status).toBe(201);
    await eventually(async () => {
      const { status, body } = await eye.get(`/properties/?${RANGE}`);
      expect({ status, events: body.events }).toEqual({ status: 200, events: 6 });
    });
  });
  afterAll(() => eye.close());

  it('lists the paths with their types, counts and newest values', async () => {
    const { body } = await eye.get(`/properties/?${RANGE}&application=default`);
    expect(body).toEqual({
      from: '2021-01-01T00:00:00.000000Z',
      to: '2021-02-01T00:00:00.000000Z',
      as_of: expect.stringMatching(/^\d{4}-.*Z$/),
      events: 5,
      total: 7,
      properties: [
        {
          property: 'data.path',
          events: 5,
          types: [
            { type: 'text', events: 3, example: '/shop' },
            { type: 'number', events: 2, example: 42 },
          ],
        },
        { property: 'data.user.plan', events: 3, types: [{ type: 'text', events: 3, example: '1' }] },
        { property: 'data.a\\.b', events: 2, types: [{ type: 'text', events: 2, example: '2021-01-01' }] },
        {
          property: 'data.paid',
          events: 2,
          types: [{ type: 'boolean', events: 2, example: false }],
        },
        { property: 'data.user.id', events: 2, types: [{ type: 'number', events: 2, example: 1.5 }] },
        { property: 'data.big', events: 1, types: [{ type: 'number', events: 1, example: 1e300 }] },
        { property: 'data.tags', events: 1, types: [{ type: 'list', events: 1, example: ['x'] }] },
      ],
    });
  });

  it('counts the same where no key needs the text of the payloads', async () => {
    // The events without the key `a.b`.
    const { body } = await eye.get(`/properties/?${RANGE}&application=default&data.a\\.b:exists=false`);
    expect(body.total).toBe(5);
    expect(body.properties).toEqual([
      {
        property: 'data.path',
        events: 3,
        types: [
          { type: 'number', events: 2, example: 42 },
          { type: 'text', events: 1, example: '/' },
        ],
      },
      { property: 'data.paid', events: 2, types: [{ type: 'boolean', events: 2, example: false }] },
      { property: 'data.big', events: 1, types: [{ type: 'number', events: 1, example: 1e300 }] },
      { property: 'data.tags', events: 1, types: [{ type: 'list', events: 1, example: ['x'] }] },
      { property: 'data.user.plan', events: 1, types: [{ type: 'text', events: 1, example: 'free' }] },
    ]);
  });

  it('lists what begins with a text, and at most as many as asked for', async () => {
    const names = async (query: string): Promise<string[]> =>
      (await eye.get(`/properties/?${RANGE}&${query}`)).body.properties.map(
        ({ property }: { property: string }) => property,
      );
    expect(await names('begins=data.user.')).toEqual(['data.user.plan', 'data.user.id']);
    expect(await names('begins=data.pa&limit=1')).toEqual(['data.path']);
    expect(await names('begins=data.nothing')).toEqual([]);
    expect(await names('data.paid:exists=true&data.path:eq=42&begins=data.p')).toEqual([
      'data.paid',
      'data.path',
    ]);
  });

  it('ranks the values of a property', async () => {
    const { body } = await eye.get(
      `/statistics/top/?${RANGE}&property=data.path&application=default&limit=2`,
    );
    expect(body).toEqual({
      from: '2021-01-01T00:00:00.000000Z',
      to: '2021-02-01T00:00:00.000000Z',
      as_of: expect.stringMatching(/^\d{4}-.*Z$/),
      compared: { from: '2020-12-01T00:00:00.000000Z', to: '2021-01-01T00:00:00.000000Z' },
      property: 'data.path',
      total: 5,
      events: 5,
      values: [
        { value: '/', events: 2, sessions: 1, share: 0.4, previous_events: 1, change: 1 },
        { value: 42, events: 2, sessions: 2, share: 0.4, previous_events: 0, change: null },
      ],
      others: { values: 1, events: 1 },
    });
  });

  it('ranks the values of a property with their share of all events, also those without a value', async () => {
    const { body } = await eye.get(
      `/statistics/top/?${RANGE}&property=data.user.id&application=default&compare=year`,
    );
    expect(body).toMatchObject({
      compared: { from: '2020-01-01T00:00:00.000000Z', to: '2020-02-01T00:00:00.000000Z' },
      total: 5,
      events: 2,
      values: [
        { value: 1, events: 1, sessions: 1, share: 0.2, change: null },
        { value: 1.5, events: 1, sessions: 1, share: 0.2, change: null },
      ],
    });
    const first = await eye.get('/statistics/top/?from=0001-01-01&to=0001-01-02&property=name');
    expect(first.body).toMatchObject({ compared: null, total: 0, events: 0, values: [] });
  });

  it('ranks applications, categories, names and types of the events that meet conditions', async () => {
    const { body } = await eye.get(`/statistics/top/?${RANGE}&data.path=/`);
    expect(body).toMatchObject({
      total: 3,
      applications: [
        { application: 'default', count: 2 },
        { application: 'shop', count: 1 },
      ],
      as_of: expect.stringMatching(/Z$/),
    });
  });

  it.each([
    ['data.user.plan', '', ['1', 'free', 'pro']],
    ['data.a\\.b', '', ['2021-01-01', 'x']],
    ['data.a%2Eb', '', []],
    ['data.paid', '', [false, true]],
    ['data.path', '&data.path:begins=/s', ['/shop']],
    ['data.big', '', [1e300]],
    ['session_id', '&application=default', ['a', 'b', 'c']],
    ['data.tags', '', []],
    ['data.nothing.here', '', []],
  ])('ranks the values of %s%s', async (property, conditions, values) => {
    const query = `property=${encodeURIComponent(property)}${conditions}`;
    const { status, body } = await eye.get(`/statistics/top/?${RANGE}&${query}`);
    expect(status).toBe(200);
    const found = body.values.map(({ value }: { value: unknown }) => value);
    expect(found.sort()).toEqual(values);
  });

  it('answers a key about its own application only', async () => {
    const { body } = await eye.get(`/properties/?${RANGE}`, bearer(shop));
    expect(body.properties.map(({ property }: { property: string }) => property)).toEqual([
      'data.path',
      'data.secret',
    ]);
    const other = await eye.get(`/properties/?${RANGE}&application=default`, bearer(shop));
    expect(other.status).toBe(403);
    const around = await eye.get(`/properties/?${RANGE}&application:in=default,shop`, bearer(shop));
    expect(around.body.events).toBe(1);
  });

  it.each([
    ['/properties/?data.a:near=1', 'data.a:near', /no operator `near`/],
    ['/properties/?data.a:between=2', 'data.a:between', /two values/],
    ['/properties/?begins=colour', 'begins', /Must be application/],
    ['/properties/?limit=1000', 'limit', /at most 200/],
    ['/properties/?filter=1', 'filter', /Unknown parameter/],
    ['/properties/?colour:eq=1', 'colour:eq', /Unknown parameter/],
    ['/properties/?from=2021-01-01&to=2020-01-01', 'from', /before `to`/],
    ['/statistics/top/?compare=year', 'compare', /Needs the parameter `property`/],
    ['/statistics/top/?property=name&compare=month', 'compare', /previous or year/],
    ['/statistics/top/?property=data.x:eq', 'property', /An operator has no place here/],
  ])('refuses %s', async (path, parameter, message) => {
    const { status, body } = await eye.get(path);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid' });
    expect(body.errors[parameter]).toEqual([expect.stringMatching(message)]);
  });

  it('takes no value for SQL', async () => {
    for (const text of ["' OR 1=1 --", '\\', '{p0:String}', '`; DROP TABLE events', '%27', '\t\n\\N']) {
      const [key, value] = [text.replace(/[\\.:]/g, '\\$&'), text].map(encodeURIComponent);
      for (const query of [`data.${key}=${value}`, `data.path=${value}`, `property=data.${key}`]) {
        const path = query.startsWith('property') ? '/statistics/top/' : '/properties/';
        const { status, body } = await eye.get(`${path}?${RANGE}&${query}`);
        expect({ text, query, status, events: body.events }).toEqual({ text, query, status: 200, events: 0 });
      }
    }
  });

  it('is unavailable alone while ClickHouse is away', async () => {
    const peer = await eye.startPeer({ CLICKHOUSE_URL: 'http://127.0.0.1:1/the_eye' });
    try {
      for (const path of ['/properties/', '/statistics/top/?property=name']) {
        const { status, headers, body } = await peer.get(path);
        expect([status, body.code]).toEqual([503, 'clickhouse_unavailable']);
        expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
      }
      expect((await peer.get('/events/')).status).toBe(200);
      expect((await peer.get('/statistics/rates/')).status).toBe(200);
    } finally {
      await peer.end();
    }
  });
});
