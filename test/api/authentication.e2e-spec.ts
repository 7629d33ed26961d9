import { once } from 'node:events';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Admin, bearer, type NewKey, pointsLeft } from '../../testing/keys.js';
import { OwnPostgres } from '../support/servers.js';
import { anEvent, type EyeResponse, eventually, onTime, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

const SHOP = 'https://shop.example';
const EVIL = 'https://evil.example';

const unknownKey = (scope = 'ingest'): string => `eye_${scope}_${randomBytes(32).toString('base64url')}`;

/** A response without its date, its request id and the connection headers. */
const comparable = ({ status, headers, body }: EyeResponse): unknown => {
  const relevant = [...headers].filter(
    ([name]) => !['date', 'connection', 'keep-alive', 'x-request-id'].includes(name),
  );
  return { status, headers: Object.fromEntries(relevant), body };
};

describe('With AUTH=required,', () => {
  /** The sum of a counter's values. */
  const metric = async (one: TheEye, values: RegExp): Promise<number> => {
    const { body } = await one.get('/metrics', admin.headers);
    return [...String(body).matchAll(values)].reduce((sum, [, value]) => sum + Number(value), 0);
  };

  let postgres: OwnPostgres;
  let eye: TheEye;
  let admin: Admin;
  const keys: Record<string, NewKey> = {};

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    eye = await startEye({ AUTH: 'required', DATABASE_URL: postgres.url });
    admin = await Admin.of(eye);
    // Of all applications: applications.e2e-spec.ts has what a key of one application may do.
    for (const scope of ['ingest', 'read', 'admin', 'metrics'])
      keys[scope] = await admin.create('shop', { scope, all_applications: scope !== 'ingest' });
    keys['page'] = await admin.create('shop', { scope: 'ingest', allowed_origins: [SHOP] });
    keys['sub-domains'] = await admin.create('shop', {
      scope: 'ingest',
      allowed_origins: ['https://*.shop.example', 'http://*.a.example:8080'],
    });
  });
  afterAll(async () => {
    await eye.close();
    await postgres.close();
  });

  const keyOf = (name: string): string => keys[name]?.key ?? '';

  describe('the API', () => {
    /** The expected scope of each route, independent of the decorators. */
    const expected = (method: string, path: string, isDialect: boolean): string => {
      if (isDialect) return 'ingest';
      if (/^\/(health|eye\.js)/.test(path)) return 'anybody';
      if (path === '/events' && method === 'post') return 'ingest';
      if (path === '/metrics') return 'metrics';
      // These POST routes only read stored events.
      if (/\/(check|funnel|retention|paths|query)$/.test(path)) return 'read';
      return method === 'get' && !/^\/(applications|audit)/.test(path) ? 'read' : 'admin';
    };

    it('enforces the documented scope of every documented route', async () => {
      const { paths } = (await eye.get('/docs-json')).body;
      const routes = Object.entries<any>(paths).flatMap(([path, item]) =>
        Object.entries<any>(item).map(([method, operation]) => ({
          method,
          path,
          access: operation['x-access'],
          isDialect: operation.tags.some((tag: string) => tag.startsWith('send: ')),
        })),
      );
      expect(routes.length).toBeGreaterThan(10);
      const outcomes: string[] = [];
      const expectedOutcomes: string[] = [];
      for (const { method, path, access, isDialect } of routes) {
        expect([method, path, access]).toEqual([method, path, expected(method, path, isDialect)]);
        const address = path.replace('{name}', 'nobody').replace(/\{\w+\}/g, crypto.randomUUID());
        const open = access === 'anybody';
        // An address may present few wrong keys in a minute; dialects.e2e-spec.ts sends them to dialects.
        const callers = ['none', 'ingest', 'read', 'admin', 'metrics', ...(isDialect ? [] : ['unknown'])];
        for (const caller of callers) {
          const key = caller === 'unknown' ? unknownKey() : keyOf(caller);
          const response = await eye.request(method.toUpperCase(), address, {
            headers: {
              ...(caller !== 'none' && bearer(key)),
              ...(method !== 'get' && method !== 'delete' && { 'content-type': 'application/json' }),
            },
            ...(method !== 'get' && method !== 'delete' && { body: isDialect ? '{"data":[]}' : '{}' }),
          });
          // Dialects report errors in forms of their own.
          const code = isDialect
            ? { 401: 'unauthorized', 403: 'forbidden' }[response.status]
            : response.body?.code;
          const rejected = [401, 403].includes(response.status) ? code : 'let in';
          outcomes.push(`${caller}: ${method} ${path}: ${rejected}`);
          const allowed =
            open || caller === 'admin' || caller === access || (access === 'metrics' && caller === 'read');
          const rejection = keys[caller] ? 'forbidden' : 'unauthorized';
          expectedOutcomes.push(`${caller}: ${method} ${path}: ${allowed ? 'let in' : rejection}`);
        }
      }
      expect(outcomes).toEqual(expectedOutcomes);
    });

    it('returns 404 for unknown routes and serves Swagger UI, the dashboard and their assets without a key', async () => {
      expect((await eye.get('/nothing')).status).toBe(404);
      expect((await eye.request('PUT', '/events/')).status).toBe(405);
      const page = await eye.get('/docs');
      const loaded = [...page.body.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, file]) => `/${file}`);
      expect(loaded.length).toBeGreaterThan(3);
      const dashboard = await eye.get('/');
      const files = [...dashboard.body.matchAll(/(?:src|href)="(dashboard\/[^"]+)"/g)].map(
        ([, file]) => `/${file}`,
      );
      expect(files.length).toBeGreaterThan(3);
      for (const path of ['/docs', '/docs-json', ...loaded, '/', ...files])
        expect((await eye.get(path)).status).toBe(200);
    });
  });

  describe('a valid key', () => {
    it.each([
      ['a bearer token', (key: string) => ({ authorization: `Bearer ${key}` })],
      ['a bearer token with a lower-case scheme', (key: string) => ({ authorization: `bearer ${key}` })],
      ['an X-API-Key header', (key: string) => ({ 'x-api-key': key })],
      [
        'the user name of Basic authentication',
        (key: string) => ({ authorization: `Basic ${btoa(`${key}:`)}` }),
      ],
    ])('is accepted as %s', async (_, headers) => {
      expect((await eye.post('/events/', anEvent(), headers(keyOf('ingest')))).status).toBe(202);
      expect((await eye.get('/events/', headers(keyOf('read')))).status).toBe(200);
    });

    it('is accepted as a query parameter only by POST /events and only with scope `ingest`', async () => {
      expect((await eye.post(`/events/?key=${keyOf('ingest')}`, anEvent())).status).toBe(202);
      for (const name of ['read', 'admin'])
        expect((await eye.post(`/events/?key=${keyOf(name)}`, anEvent())).status).toBe(401);
      for (const name of ['ingest', 'read', 'admin'])
        expect((await eye.get(`/events/?key=${keyOf(name)}`)).status).toBe(401);
      expect((await eye.get(`/events/?key=${keyOf('read')}`, admin.headers)).status).toBe(400);
    });

    it('determines the application of the stored events', async () => {
      const { body } = await eye.post('/events/', anEvent(), {
        ...bearer(keyOf('admin')),
        prefer: 'wait=20',
      });
      expect(body).toMatchObject({ application: 'shop' });
    });
  });

  describe('an unauthorized request', () => {
    it('gets the same 401 response for every kind of invalid key', async () => {
      const revoked = await admin.create('shop', { scope: 'ingest' });
      const path = `/applications/shop/keys/${revoked.id}/`;
      expect((await eye.request('DELETE', path, { headers: admin.headers })).status).toBe(204);
      const valid = keyOf('ingest');
      const invalid: Record<string, string>[] = [
        {},
        bearer(unknownKey()),
        bearer(unknownKey('admin')),
        bearer(revoked.key),
        bearer(valid.slice(0, -1)),
        bearer(valid.toUpperCase()),
        bearer(`${valid} `.repeat(2)),
        bearer('x'.repeat(8000)),
        { authorization: valid },
        { authorization: 'Bearer' },
        { authorization: 'Basic !!!' },
        { authorization: `Basic ${btoa(`:${valid}`)}` },
        { authorization: `Digest ${valid}` },
        { 'x-api-key': '' },
        { 'x-api-key': `${valid}, ${valid}` },
        { 'x-api-key': `eye_ingest_${"' OR 1=1 --".padEnd(43, 'A')}` },
      ];
      const [event] = [anEvent()];
      const responses = [];
      for (const headers of invalid) responses.push(comparable(await eye.post('/events/', event, headers)));
      expect(responses[0]).toMatchObject({
        status: 401,
        headers: {
          'www-authenticate': expect.stringContaining('Bearer'),
          'content-type': expect.stringContaining('problem+json'),
        },
        body: { code: 'unauthorized' },
      });
      for (const response of responses) expect(response).toEqual(responses[0]);
      const stored = await eye.sql('SELECT 1 FROM events WHERE session_id = $1', [event?.session_id]);
      expect(stored).toEqual([]);
    });

    it('gets the same 403 response from every route that needs another scope', async () => {
      const responses = [
        await eye.get('/events/', bearer(keyOf('ingest'))),
        await eye.get('/applications/shop/', bearer(keyOf('ingest'))),
        await eye.get('/applications/nobody/', bearer(keyOf('read'))),
        await eye.get('/events/?unknown=1', bearer(keyOf('ingest'))),
      ].map(({ status, body }) => ({ status, body }));
      expect(responses[0]).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      for (const response of responses) expect(response).toEqual(responses[0]);
    });

    it('is rejected before its body is read', async () => {
      const response = await sendHeadOnly(eye, []);
      expect(response).toMatch(/^HTTP\/1\.1 401 /);
    });
  });

  describe('the origin check', () => {
    const post = (origin: string, query = '', headers: Record<string, string> = {}): Promise<EyeResponse> =>
      eye.post(`/events/${query}`, anEvent(), { origin, ...headers });

    it('accepts cross-origin requests only with an ingest key that allows the origin', async () => {
      const allowed = await post(SHOP, `?key=${keyOf('page')}`);
      expect(allowed.status).toBe(202);
      expect(Object.fromEntries(allowed.headers)).toMatchObject({
        'access-control-allow-origin': SHOP,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'location, retry-after, ratelimit, ratelimit-policy',
      });
      const rejected = [
        await post(SHOP),
        await post(SHOP, `?key=${keyOf('ingest')}`),
        await post(SHOP, '', admin.headers),
        await post(SHOP, `?key=${unknownKey()}`),
        await post(EVIL, `?key=${keyOf('page')}`),
        await post(`${SHOP}:8443`, `?key=${keyOf('page')}`),
        await post(SHOP.replace('https', 'http'), `?key=${keyOf('page')}`),
        await post('null', `?key=${keyOf('page')}`),
        await eye.get('/events/', { origin: SHOP, ...admin.headers }),
        await eye.get('/health/live', { origin: EVIL }),
      ];
      for (const { status, body } of rejected)
        expect([status, body.code]).toEqual([403, 'origin_not_allowed']);
      expect((await eye.get('/events/', { origin: SHOP, ...bearer(keyOf('page')) })).body.code).toBe(
        'forbidden',
      );
    });

    it('accepts every sub-domain of a pattern, but not the domain itself', async () => {
      const key = keyOf('sub-domains');
      for (const origin of [
        'https://www.shop.example',
        'https://a.b.shop.example',
        'http://x.a.example:8080',
      ]) {
        const { status, headers } = await post(origin, `?key=${key}`);
        expect([origin, status, headers.get('access-control-allow-origin')]).toEqual([origin, 202, origin]);
      }
      for (const origin of [
        SHOP,
        'http://www.shop.example',
        'https://www.shop.example:8443',
        'https://evilshop.example',
        'http://x.a.example',
      ])
        expect([origin, (await post(origin, `?key=${key}`)).status]).toEqual([origin, 403]);
    });

    it('compares origins, and not their texts', async () => {
      expect((await post('HTTPS://Shop.Example:443', `?key=${keyOf('page')}`)).status).toBe(202);
      const { host, port } = new URL(eye.url);
      for (const origin of [
        'null',
        'ftp://shop.example',
        `${SHOP}/`,
        `${SHOP}/path`,
        `https://${host}`,
        `ftp://${host}`,
        host,
        `http://localhost:${port}`,
      ])
        expect([origin, (await post(origin, '', admin.headers)).body.code]).toEqual([
          origin,
          'origin_not_allowed',
        ]);
    });

    it('accepts same-origin requests with any key', async () => {
      expect((await post(eye.url, '', admin.headers)).status).toBe(202);
      expect((await eye.get('/events/', { origin: eye.url, ...admin.headers })).status).toBe(200);
    });

    it('accepts preflight requests only from origins that an ingest key allows, with whatever headers they ask for', async () => {
      const asked = 'anonymousid,authorization,content-type,sentat';
      const ask = (origin: string): Promise<EyeResponse> =>
        eye.request('OPTIONS', '/events/', {
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': asked,
          },
        });
      const { status, headers } = await ask(SHOP);
      expect(status).toBe(204);
      expect(Object.fromEntries(headers)).toMatchObject({
        'access-control-allow-origin': SHOP,
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': asked,
        'access-control-allow-credentials': 'true',
      });
      for (const origin of [EVIL, 'null']) {
        const rejected = await ask(origin);
        expect([rejected.status, rejected.headers.get('access-control-allow-origin')]).toEqual([204, null]);
      }
    });

    it('permits text/plain, as beacons send it, only in cross-origin requests', async () => {
      const text = { 'content-type': 'text/plain;charset=UTF-8' };
      expect((await post(SHOP, `?key=${keyOf('page')}`, text)).status).toBe(202);
      expect((await eye.post(`/events/?key=${keyOf('page')}`, anEvent(), text)).status).toBe(415);
      expect((await post(eye.url, `?key=${keyOf('page')}`, text)).status).toBe(415);
      expect((await post(SHOP, `?key=${keyOf('page')}`, { 'content-type': 'text/html' })).status).toBe(415);
    });
  });

  describe('the administration API', () => {
    it('returns a key only on creation and never its hash', async () => {
      const made = await eye.post(
        '/applications/shop/keys/',
        { scope: 'read', rate_limit: 7 },
        admin.headers,
      );
      expect(made.status).toBe(201);
      expect(made.headers.get('cache-control')).toBe('no-store');
      const { key, ...rest } = made.body;
      expect(key).toMatch(/^eye_read_[\w-]{43}$/);
      const shop = await eye.get('/applications/shop/', admin.headers);
      expect(shop.body.keys).toContainEqual(rest);
      expect(Object.keys(rest).sort()).toEqual(
        [
          'all_applications',
          'allowed_origins',
          'application',
          'created_at',
          'expires_at',
          'id',
          'last_used_at',
          'prefix',
          'rate_limit',
          'revoked_at',
          'scope',
        ].sort(),
      );
      const dump = JSON.stringify(await eye.sql('SELECT k::text FROM keys k'));
      expect(dump).not.toContain(key.slice(-20));
      expect(rest.prefix).toBe(key.slice(0, 'eye_read_'.length + 6));
    });

    it('lists applications by name and rejects a duplicate name', async () => {
      const created = await eye.post('/applications/', { name: 'web' }, admin.headers);
      expect([created.status, created.headers.get('location')]).toEqual([201, '/applications/web/']);
      const again = await eye.post('/applications/', { name: 'web' }, admin.headers);
      expect([again.status, again.body.code]).toEqual([409, 'already_exists']);
      const names = async (path: string): Promise<string[]> =>
        (await eye.get(path, admin.headers)).body.map(({ name }: { name: string }) => name);
      expect(await names('/applications/')).toEqual(['administration', 'default', 'shop', 'web']);
      expect(await names('/applications/?after=default')).toEqual(['shop', 'web']);
    });

    it.each([
      ['', 'empty_body', undefined],
      ['{', 'malformed_json', undefined],
      ['[]', 'invalid', ['body']],
      ['{}', 'invalid', ['scope']],
      ['{"scope":"root"}', 'invalid', ['scope']],
      ['{"scope":"read","x":1}', 'invalid', ['x']],
      ['{"scope":"read","allowed_origins":["https://a.example"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":"https://a.example"}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":["https://a.example/"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":null}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":["*"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":["null"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":["https://*"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":["https://*.com"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","allowed_origins":["https://A.example:443"]}', 'invalid', ['allowed_origins']],
      ['{"scope":"ingest","rate_limit":0}', 'invalid', ['rate_limit']],
      ['{"scope":"ingest","rate_limit":1.5}', 'invalid', ['rate_limit']],
      ['{"scope":"ingest","rate_limit":"9"}', 'invalid', ['rate_limit']],
      ['{"scope":"read","all_applications":"yes"}', 'invalid', ['all_applications']],
      ['{"scope":"ingest","all_applications":true}', 'invalid', ['all_applications']],
      ['{"scope":"read","expires_at":"tomorrow"}', 'invalid', ['expires_at']],
      ['{"scope":"read","expires_at":"2021-01-01"}', 'invalid', ['expires_at']],
      ['{"scope":"read","expires_at":null}', 'invalid', ['expires_at']],
    ])('rejects the key definition %s', async (body, code, fields) => {
      const response = await eye.post('/applications/shop/keys/', body, admin.headers);
      expect([response.status, response.body.code]).toEqual([400, code]);
      expect(response.body.errors && Object.keys(response.body.errors)).toEqual(fields);
    });

    it.each(['', 'Shop', '-shop', 'a'.repeat(64), 'a b', 'ä', 7, null])(
      'rejects the application name %j',
      async (name) => {
        const response = await eye.post('/applications/', { name }, admin.headers);
        expect([response.status, Object.keys(response.body.errors)]).toEqual([400, ['name']]);
      },
    );

    it('returns 404 for an unknown application or key', async () => {
      const id = crypto.randomUUID();
      const other = await admin.create('web', { scope: 'read' });
      const responses = [
        await eye.get('/applications/nobody/', admin.headers),
        await eye.post('/applications/nobody/keys/', { scope: 'read' }, admin.headers),
        await eye.request('DELETE', `/applications/shop/keys/${id}/`, { headers: admin.headers }),
        await eye.request('DELETE', `/applications/shop/keys/7/`, { headers: admin.headers }),
        await eye.request('DELETE', `/applications/shop/keys/${other.id}/`, { headers: admin.headers }),
      ];
      for (const { status, body } of responses) expect([status, body.code]).toEqual([404, 'not_found']);
      expect((await eye.get('/events/', bearer(other.key))).status).toBe(200);
    });

    it('returns 404 for an invalid application name and 400 for an invalid cursor', async () => {
      for (const name of ['%00', 'Shop', '%20']) {
        const { status, body } = await eye.get(`/applications/${name}/`, admin.headers);
        expect([name, status, body.code]).toEqual([name, 404, 'not_found']);
      }
      for (const after of ['after=%00', 'after=a&after=b', 'after=']) {
        const { status, body } = await eye.get(`/applications/?${after}`, admin.headers);
        expect([status, Object.keys(body.errors)]).toEqual([400, ['after']]);
      }
    });
  });

  it('a client that disconnects during the key lookup causes no error log', async () => {
    const made = Array.from({ length: 5 }, () => admin.create('shop', { scope: 'ingest' }));
    const { hostname, port } = new URL(eye.url);
    for (const { key } of await Promise.all(made)) {
      const socket = connect({ host: hostname, port: Number(port) });
      await once(socket, 'connect');
      const head = `POST /events/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n`;
      socket.write(`${head}Content-Type: application/x-ndjson\r\nContent-Length: 2\r\n\r\n{}`, () =>
        socket.destroy(),
      );
      await once(socket, 'close');
    }
    // The key lookups of earlier requests end before the response to a later one.
    expect((await eye.post('/events/', anEvent(), admin.headers)).status).toBe(202);
    expect(eye.output).not.toMatch(/"level":"(error|fatal)"/);
  });

  describe('two API processes', () => {
    let other: TheEye;
    beforeAll(async () => void (other = await eye.startPeer({ AUTH: 'required', HOST: '0.0.0.0' })));
    afterAll(() => other.end());

    it('reject requests without a key, also on a non-loopback address', async () => {
      const { port } = new URL(other.url);
      expect((await fetch(`http://127.0.0.1:${port}/events/`)).status).toBe(401);
    });

    it('reject a revoked key within seconds', async () => {
      const { id, key } = await admin.create('shop', { scope: 'read' });
      for (const one of [eye, other]) expect((await one.get('/events/', bearer(key))).status).toBe(200);
      await eye.request('DELETE', `/applications/shop/keys/${id}/`, { headers: admin.headers });
      await eventually(async () => {
        for (const one of [eye, other]) expect((await one.get('/events/', bearer(key))).status).toBe(401);
      }, onTime(2000));
      const [row] = await eye.sql('SELECT revoked_at FROM keys WHERE id = $1', [id]);
      await eye.request('DELETE', `/applications/shop/keys/${id}/`, { headers: admin.headers });
      expect(await eye.sql('SELECT revoked_at FROM keys WHERE id = $1', [id])).toEqual([row]);
    });

    /** Requests that passed before they were counted. */
    const uncounted = (one: TheEye): Promise<number> =>
      metric(one, /^the_eye_rate_limit_uncounted_total\{.*\} (\d+)$/gm);

    it('share the exact rate limit of a key', async () => {
      const { key } = await admin.create('shop', { scope: 'ingest', rate_limit: 40 });
      const lateBefore = (await uncounted(eye)) + (await uncounted(other));
      const responses: EyeResponse[] = [];
      for (let i = 0; i < 30; i++) {
        const both = [eye, other].map((one) => one.post('/events/', anEvent(), bearer(key)));
        responses.push(...(await Promise.all(both)));
      }
      const passed = responses.filter(({ status }) => status === 202);
      const limited = responses.filter(({ status }) => status === 429);
      // On a machine on which Redis took longer than 250 ms, requests passed before they were counted.
      const late = (await uncounted(eye)) + (await uncounted(other)) - lateBefore;
      expect(passed.length + limited.length).toBe(60);
      expect(passed.length).toBeGreaterThanOrEqual(40);
      expect(passed.length).toBeLessThanOrEqual(40 + late);
      expect(limited[0]?.body.code).toBe('rate_limited');
      const { headers } = limited[0] as EyeResponse;
      expect(headers.get('ratelimit-policy')).toBe('"events";q=40;w=60');
      expect(headers.get('ratelimit')).toMatch(/^"events";r=0;t=\d+$/);
      const seconds = Number(headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(passed[0]?.headers.get('ratelimit')).toMatch(/^"events";r=3\d;t=\d+$/);
      expect(await sendHeadOnly(other, [`Authorization: Bearer ${key}`])).toMatch(/^HTTP\/1\.1 429 /);
    });

    it('count every event of an array, also invalid ones, but no event of a rate-limited request', async () => {
      const { key } = await admin.create('shop', { scope: 'ingest', rate_limit: 20 });
      const many = (n: number): unknown[] => Array.from({ length: n }, () => anEvent());
      const left = async (body: unknown): Promise<unknown[]> => {
        const { status, headers } = await eye.post('/events/', body, bearer(key));
        return [status, pointsLeft(headers)];
      };
      expect(await left([...many(5), {}, {}])).toEqual([202, '13']);
      expect(await left([{}, {}, {}])).toEqual([400, '10']);
      // A rate-limited request costs one; its events are not counted.
      expect(await left(many(21))).toEqual([429, '9']);
      expect(await left(many(10))).toEqual([429, '8']);
      expect(await left(many(8))).toEqual([202, '0']);
      expect(await left(anEvent())).toEqual([429, '0']);
    });

    it('count 4,096 bytes of a body as an event, before they read or record any of it', async () => {
      const { key } = await admin.create('sized', { scope: 'ingest', rate_limit: 20 });
      const send = async (body: string, chunked = false): Promise<unknown[]> => {
        const init = chunked
          ? ({ body: new Blob([body]).stream(), duplex: 'half' } as RequestInit)
          : { body };
        const { status, headers } = await eye.request('POST', '/events/', {
          ...init,
          headers: { ...bearer(key), 'content-type': 'application/x-ndjson' },
        });
        return [status, pointsLeft(headers)];
      };
      const event = JSON.stringify(anEvent());
      expect(await send(event.padEnd(4096, '\n'))).toEqual([202, '19']);
      expect(await send(event.padEnd(4097, '\n'))).toEqual([202, '17']);
      expect(await send('\n'.repeat(12_288), true)).toEqual([400, '14']);
      expect(await send(`${'{}\n'.repeat(15)}`.padEnd(61_440, '\n'))).toEqual([429, '14']);
      expect(await send(`${'{}\n'.repeat(15)}`)).toEqual([429, '13']);
      // The first 13 points are taken before the rest arrives.
      expect((await send('\n'.repeat(1_000_000), true))[0]).toBe(429);
      const { body } = await eye.get('/rejections/?application=sized', admin.headers);
      expect(body.count).toBe(0);
    });
  });

  it.each(['stop', 'freeze'] as const)(
    'accepts cached keys and returns 503 for other keys while PostgreSQL is down (%s)',
    async (outage) => {
      const { key } = await admin.create('shop', { scope: 'ingest' });
      const { key: uncached } = await admin.create('shop', { scope: 'ingest' });
      const event = anEvent();
      expect((await eye.post('/events/', anEvent(), bearer(key))).status).toBe(202);
      await postgres[outage]();
      // Longer than any key may be used without a look at the table.
      for (const end = Date.now() + 5000; Date.now() < end; await wait(100)) {
        const { status, took } = await eye.post('/events/', event, bearer(key));
        expect(status).toBe(202);
        expect(took).toBeLessThan(onTime(2000));
      }
      const unknown = await eye.post('/events/', anEvent(), bearer(uncached));
      expect([unknown.status, unknown.body.code]).toEqual([503, 'database_unavailable']);
      expect(Number(unknown.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(unknown.took).toBeLessThan(onTime(3000));
      expect((await eye.post('/events/', anEvent(), bearer('eye_ingest_x'))).status).toBe(401);
      expect((await eye.get('/health/live')).status).toBe(200);
      await (outage === 'stop' ? postgres.start() : postgres.thaw());
      await eventually(async () =>
        expect((await eye.post('/events/', anEvent(), bearer(uncached))).status).toBe(202),
      );
      await eye.drained();
      expect(
        await eye.sql('SELECT application FROM events WHERE session_id = $1', [event.session_id]),
      ).toEqual([{ application: 'shop' }]);
    },
  );

  it('returns 503 to POST /events in time while Redis does not respond, still serves GET /events and resumes rate limiting afterwards', async () => {
    const { key } = await admin.create('shop', { scope: 'ingest', rate_limit: 10 });
    expect((await eye.post('/events/', anEvent(), bearer(key))).status).toBe(202);
    await eye.redis((redis) => redis.client('PAUSE', 600_000, 'WRITE'));
    for (let i = 0; i < 3; i++) {
      const late = await eye.post('/events/', [anEvent(), anEvent()], bearer(key));
      expect([late.status, late.body.code]).toEqual([503, 'queue_unavailable']);
      expect(late.took).toBeLessThan(onTime(2500));
      expect((await eye.get('/events/', admin.headers)).status).toBe(200);
    }
    await eye.redis((redis) => redis.client('UNPAUSE'));
    // Requests count against the rate limit again.
    await eventually(async () =>
      expect((await eye.post('/events/', anEvent(), bearer(key))).status).toBe(429),
    );
  });

  it('is not asked for with AUTH=off, but one that is presented counts: its application, scope, limit and revocation', async () => {
    const { key, id } = await admin.create('shop', {
      scope: 'ingest',
      allowed_origins: [SHOP],
      rate_limit: 5,
    });
    const open = await eye.startPeer({ RATE_LIMIT: '1' });
    const send = (headers: Record<string, string>, query = ''): Promise<EyeResponse> =>
      open.post(`/events/${query}`, anEvent(), { ...headers, prefer: 'wait=20' });
    // A proxy may pass on the credentials of its own users.
    const proxied: Record<string, string> = { authorization: `Basic ${btoa('somebody:secret')}` };
    for (const headers of [{}, proxied]) {
      const { body, headers: responseHeaders } = await send(headers);
      expect(body.application).toBe('default');
      expect(responseHeaders.get('ratelimit')).toBeNull();
    }
    expect((await open.post('/events/', anEvent(), { origin: EVIL })).body.code).toBe('origin_not_allowed');
    expect((await open.post('/events/', anEvent(), { origin: open.url })).status).toBe(202);
    for (const presented of [
      send(bearer(key)),
      send({}, `?key=${key}`),
      send({ origin: SHOP }, `?key=${key}`),
    ]) {
      const { body, headers } = await presented;
      expect(body.application).toBe('shop');
      expect(headers.get('ratelimit-policy')).toBe('"events";q=5;w=60');
    }
    expect((await open.get('/events/', bearer(key))).body.code).toBe('forbidden');
    for (const invalid of [bearer('nonsense'), bearer(unknownKey()), { 'x-api-key': '' }]) {
      expect((await send(invalid)).status).toBe(401);
      expect((await open.get('/events/', invalid)).status).toBe(401);
    }
    for (const expected of [201, 201, 429]) expect((await send(bearer(key))).status).toBe(expected);
    await eye.request('DELETE', `/applications/shop/keys/${id}/`, { headers: admin.headers });
    await eventually(async () => expect((await send(bearer(key))).status).toBe(401), onTime(2000));
    await open.end();
  });

  describe('a process that trusts its proxy', () => {
    const BODY_LIMIT = 100_000;
    const FORWARDED = {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'eye.example',
    };
    let proxied: TheEye;
    beforeAll(async () => {
      proxied = await eye.startPeer({
        AUTH: 'required',
        TRUSTED_PROXIES: '127.0.0.1',
        ALLOWED_HOSTS: 'eye.example',
        BODY_LIMIT: String(BODY_LIMIT),
        BODIES_LIMIT: String(BODY_LIMIT),
      });
    });
    // 66 wrong keys come from the proxy itself, and one from another address.
    afterAll(async () => {
      await proxied.end();
      expect(proxied.output).toMatch(
        'Requests with wrong keys in the last minute: 67; addresses: 2; most, 66,',
      );
    });

    it('limits wrong keys by address, without a look-up and without an effect on keys that are known', async () => {
      const valid = bearer(keyOf('ingest'));
      expect((await proxied.post('/events/', anEvent(), valid)).status).toBe(202);
      expect((await proxied.get('/metrics', admin.headers)).status).toBe(200);
      const responses: EyeResponse[] = [];
      for (let i = 0; i < 65; i++)
        responses.push(await proxied.post('/events/', anEvent(), bearer(unknownKey())));
      expect(responses.map(({ status }) => status)).toEqual([
        ...Array<number>(60).fill(401),
        ...Array<number>(5).fill(429),
      ]);
      const limited = responses.at(-1) as EyeResponse;
      expect(limited.body.code).toBe('rate_limited');
      expect(Number(limited.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await proxied.get('/events/')).status).toBe(401);
      expect((await proxied.post('/events/', anEvent(), valid)).status).toBe(202);
      const failures = (reason: string): Promise<number> =>
        metric(
          proxied,
          new RegExp(`^the_eye_authentication_failures_total\\{.*reason="${reason}".*\\} (\\d+)$`, 'gm'),
        );
      expect([await failures('unknown'), await failures('limited'), await failures('missing')]).toEqual([
        60, 5, 1,
      ]);
    });

    it('counts a wrong key against the address that the proxy names', async () => {
      const wrong = { ...bearer(unknownKey()), ...FORWARDED };
      // The address of the proxy is limited by now.
      expect((await proxied.post('/events/', anEvent(), bearer(unknownKey('read')))).status).toBe(429);
      expect((await proxied.post('/events/', anEvent(), wrong)).status).toBe(401);
    });

    it('makes links for the host and the scheme that the proxy names, and another process does not', async () => {
      await eye.post('/events/', [anEvent(), anEvent({ name: 'another' })], bearer(keyOf('ingest')));
      await eye.drained();
      const path = '/events/?page_size=1';
      const headers = { ...bearer(keyOf('read')), ...FORWARDED };
      expect((await proxied.get(path, headers)).body.next).toMatch(/^https:\/\/eye\.example\/events\/\?/);
      expect((await eye.get(path, headers)).body.next).toMatch(/^\/events\/\?/);
    });

    it('responds 503 while others fill BODIES_LIMIT, and closes one that has stopped when its bytes are needed', async () => {
      const { hostname, port } = new URL(proxied.url);
      const small = (): Promise<EyeResponse> =>
        proxied.post('/events/', anEvent({ data: { text: ' '.repeat(BODY_LIMIT / 4) } }), {
          ...bearer(keyOf('page')),
          'x-forwarded-for': '198.51.100.9',
        });
      const lines = [
        'POST /events/ HTTP/1.1\r\nHost: localhost',
        'Content-Type: application/json',
        `Authorization: Bearer ${keyOf('ingest')}`,
        `Content-Length: ${BODY_LIMIT * 0.9}`,
      ];
      let received = '';
      // Again with a new connection, since one that sends nothing for a second loses its place.
      const refused = await eventually(async () => {
        received = '';
        const socket = connect(Number(port), hostname);
        socket
          .on('data', (chunk: Buffer) => (received += chunk.toString()))
          .write(`${lines.join('\r\n')}\r\n\r\n{`);
        await once(socket, 'connect');
        const response = await small();
        expect(response.status).toBe(503);
        return response;
      });
      expect([refused.body.code, Number(refused.headers.get('retry-after'))]).toEqual([
        'busy',
        expect.any(Number),
      ]);
      await eventually(async () => expect((await small()).status).toBe(202));
      await eventually(() => Promise.resolve(expect(received).toContain('HTTP/1.1 408')));
      expect(received).toContain('request_timeout');
    });
  });

  it('must be decided before the server starts on a non-loopback address', async () => {
    const output = await TheEye.failToStart({ HOST: '0.0.0.0' });
    expect(output).toMatch(/cannot start.*\n.*AUTH must be set.*AUTH=required.*AUTH=off/);
  });
});

/** Sends the head of a POST request without its body; resolves with the response, which must arrive within two seconds. */
function sendHeadOnly(eye: TheEye, headers: string[]): Promise<string> {
  const { hostname, port } = new URL(eye.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () =>
      socket.write(
        [
          'POST /events/ HTTP/1.1',
          'Host: eye',
          ...headers,
          'Content-Type: application/json',
          'Content-Length: 100000',
        ]
          .concat('', '')
          .join('\r\n'),
      ),
    );
    socket.setTimeout(2000, () => socket.destroy(new Error('No response without the body.')));
    socket.on('error', reject);
    socket.on('data', (chunk) => {
      resolve(chunk.toString());
      socket.destroy();
    });
  });
}
