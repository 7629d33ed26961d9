import { Admin, bearer, type NewKey, pointsLeft } from '../../testing/keys.js';
import { anEvent, type EyeResponse, eventually, onTime, TheEye } from '../../testing/the-eye.js';
import { Copy } from '../support/replication.js';
import { startEyeWithClickHouse } from '../support/start-eye.js';
import { StreamSubscriber } from '../support/stream-subscriber.js';

/** A part of every name, text and value of the application that others must not see. */
const SECRET = 'hidden4711';
const HIDDEN = `${SECRET}-shop`;

/** The type of the events of both applications. */
const TYPE = { category: 'click', name: 'banner' };
const RANGE = 'from=2021-01-01&to=2021-01-02';

interface Route {
  method: string;
  path: string;
  access: string;
  binding: string | undefined;
  hasApplication: boolean;
  isDialect: boolean;
}

describe('An application', () => {
  let eye: TheEye;
  let admin: Admin;
  const keys: Record<'read' | 'admin' | 'ingest', NewKey> = {} as never;
  let hidden: { ingest: NewKey; event: string; rejection: string };
  let routes: Route[];

  const send = (method: string, path: string, key: string, body?: unknown): Promise<EyeResponse> =>
    eye.request(method.toUpperCase(), path, {
      headers: { ...bearer(key), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  beforeAll(async () => {
    eye = await startEyeWithClickHouse({ AUTH: 'required' });
    admin = await Admin.of(eye);
    for (const scope of ['read', 'admin', 'ingest'] as const)
      keys[scope] = await admin.create('other', { scope });
    const ingest = await admin.create(HIDDEN, { scope: 'ingest' });
    const store = async (key: string, events: unknown[]): Promise<string[]> => {
      const { body } = await eye.post('/events/', events, { ...bearer(key), prefer: 'wait=20' });
      return body.ids as string[];
    };
    const at = (second: number): string => `2021-01-01T09:15:0${second}.000000Z`;
    const shared = { session_id: 'shared', ...TYPE };
    const secret = { session_id: `${SECRET} session`, ...TYPE, data: { host: SECRET } };
    const [event = ''] = await store(ingest.key, [
      anEvent({ ...secret, timestamp: at(0) }),
      anEvent({ ...shared, data: { host: SECRET }, timestamp: at(1) }),
      anEvent({ ...shared, data: { host: SECRET }, category: SECRET, timestamp: at(3) }),
      anEvent({ ...shared, data: { host: SECRET }, timestamp: at(9) }),
      { ...secret, name: '' },
    ]);
    await store(keys.ingest.key, [
      anEvent({ ...shared, data: { price: 1 }, timestamp: at(2) }),
      anEvent({ ...shared, data: { price: 2 }, name: 'paid', timestamp: at(6) }),
      anEvent({ session_id: 'own', ...TYPE, data: { price: 3 }, timestamp: at(0) }),
      { session_id: 'own', ...TYPE, name: '' },
    ]);
    const schema = { properties: { host: { const: SECRET } } };
    await send('PUT', `/event-types/click/banner/?application=${HIDDEN}`, admin.key, {
      schema,
      mode: 'enforce',
    });
    const rejection = await eventually(async () => {
      const { results, count } = (await eye.get('/rejections/', admin.headers)).body;
      expect(count).toBe(2);
      return results.find(({ application }: any) => application === HIDDEN).id as string;
    });
    hidden = { ingest, event, rejection };
    const { paths } = (await eye.get('/docs-json')).body;
    routes = Object.entries<any>(paths).flatMap(([path, item]) =>
      Object.entries<any>(item).map(([method, operation]) => ({
        method,
        path,
        access: operation['x-access'],
        binding: operation['x-binding'],
        isDialect: 'x-dialect' in operation,
        hasApplication: (operation.parameters ?? []).some(
          (parameter: any) => parameter.in === 'query' && parameter.name === 'application',
        ),
      })),
    );
  });
  afterAll(() => eye.close());

  /** The path of a route with parameters of what belongs to the hidden application. */
  const hiddenPath = ({ path }: Route): string => {
    const kind = path.split('/', 2)[1] ?? '';
    const values: Record<string, string | undefined> = {
      id: { events: hidden.event, rejections: hidden.rejection, applications: hidden.ingest.id }[kind],
      session_id: encodeURIComponent(`${SECRET} session`),
      name: kind === 'applications' ? HIDDEN : TYPE.name,
      category: TYPE.category,
    };
    return path.replace(/{(\w+)}/g, (_, parameter: string) => {
      const value = values[parameter];
      if (value === undefined) throw new Error(`This spec knows no {${parameter}} of ${path}.`);
      return value;
    });
  };

  /** A body that is valid for a route. */
  const bodyFor = ({ method, path }: Route): unknown => {
    if (method !== 'post' && method !== 'put') return undefined;
    if (path === '/events') return anEvent();
    if (path === '/statistics/funnel')
      return { steps: [TYPE, { ...TYPE, name: 'paid' }], window: 60, from: '2021-01-01', to: '2021-01-02' };
    if (path === '/statistics/retention') return { start: TYPE, from: '2021-01-01', to: '2021-01-02' };
    if (path === '/statistics/paths') return { step: TYPE, from: '2021-01-01', to: '2021-01-02' };
    if (path === '/query') return { sql: 'SELECT * FROM events' };
    if (path === '/applications') return { name: `${SECRET}-new` };
    if (path.endsWith('/keys')) return { scope: 'ingest' };
    if (path.endsWith('/check')) return { schema: {} };
    return path.startsWith('/event-types') ? { schema: {}, mode: 'observe' } : {};
  };

  const keyFor = ({ access }: Route): string => keys[access === 'ingest' ? 'ingest' : 'admin'].key;

  /** Everything that is stored of the hidden application. */
  const stored = (): Promise<unknown> =>
    eye.sql(
      `SELECT 'events' AS table, to_jsonb(t) - 'data' AS row FROM events AS t WHERE application = $1
       UNION ALL SELECT 'rejections', to_jsonb(t) FROM rejections AS t WHERE application = $1
       UNION ALL SELECT 'keys', to_jsonb(t) - 'last_used_at' FROM keys AS t WHERE application = $1
       UNION ALL SELECT 'types', to_jsonb(t) FROM event_type_versions AS t WHERE application = $1
       UNION ALL SELECT 'audit', to_jsonb(t) FROM audit AS t WHERE application = $1
       UNION ALL SELECT 'applications', to_jsonb(t) FROM applications AS t WHERE name LIKE '%4711%'
       ORDER BY 1, 2`,
      [HIDDEN],
    );

  it('is neither seen nor changed by a key of another application, on any documented route', async () => {
    expect(routes.length).toBeGreaterThan(25);
    const before = await stored();
    const outcomes: unknown[] = [];
    const expected: unknown[] = [];
    for (const route of routes) {
      const { method, path, access, binding, hasApplication, isDialect } = route;
      // Dialects store events, and return settings that are the same for all.
      if (access === 'anybody' || isDialect) continue;
      const call = `${method} ${path} (${binding})`;
      // A route keeps a key to its application in one of two ways, or is closed to it.
      expect([call, binding]).toEqual([call, expect.stringMatching(/^(parameter|handler|none)$/)]);
      expect([call, hasApplication]).toEqual([call, binding === 'parameter']);
      const address = hiddenPath(route);
      const own = await send(method, address, keyFor(route), bodyFor(route));
      const isOfHidden = binding === 'handler' && path.includes('{');
      const status = binding === 'none' ? 403 : isOfHidden ? 404 : expect.any(Number);
      outcomes.push([call, own.status, JSON.stringify(own.body).includes('4711')]);
      expected.push([call, status, false]);
      expect([call, own.status]).not.toEqual([call, 500]);
      if (!hasApplication) continue;
      const other = await send(method, `${address}?application=${HIDDEN}`, keyFor(route), bodyFor(route));
      outcomes.push([`${call}?application`, other.status, other.body.code]);
      expected.push([`${call}?application`, 403, 'forbidden']);
    }
    expect(outcomes).toEqual(expected);
    expect(await stored()).toEqual(before);
  });

  it('is all that a key of it reads: the lists, files and numbers are those of the application', async () => {
    const paths: Record<string, string> = {
      '/events': '/events/?page_size=100',
      '/events/export': '/events/export?format=ndjson',
      '/statistics/events': `/statistics/events/?${RANGE}&group_by=application`,
      '/statistics/top': `/statistics/top/?${RANGE}`,
      '/properties': `/properties/?${RANGE}`,
      '/rejections': '/rejections/?page_size=100',
      '/rejections/summary': '/rejections/summary/?interval=minute',
      '/event-types': '/event-types/?limit=100',
      '/audit': '/audit/?page_size=100',
    };
    await new Copy(eye).caughtUp();
    const values = `/statistics/top/?${RANGE}&property=session_id`;
    const valuesOfOwn = await send('GET', values, keys.admin.key);
    expect(valuesOfOwn.body.values).toEqual(
      (await send('GET', `${values}&application=other`, admin.key)).body.values,
    );
    expect(valuesOfOwn.body.total).toBeGreaterThan(0);
    for (const [path, address] of Object.entries(paths)) {
      const own = await send('GET', address, keys.admin.key);
      const chosen = await send('GET', `${address}&application=other`, admin.key);
      const as_of: unknown = own.body.as_of === undefined ? undefined : expect.any(String);
      const expected = typeof chosen.body === 'object' && as_of ? { ...chosen.body, as_of } : chosen.body;
      expect([path, own.status, own.body]).toEqual([path, 200, expected]);
      expect(JSON.stringify(own.body)).not.toContain('4711');
    }
    // A route that is new must be compared here, too. A bound key sees its part of a session; others see it whole.
    const compared = routes.filter(
      ({ method, path, binding }) => method === 'get' && binding === 'parameter' && !path.includes('{'),
    );
    expect(compared.map(({ path }) => path).sort()).toEqual(
      [...Object.keys(paths), '/events/stream', '/sessions', '/statistics/sessions'].sort(),
    );
    const days = { from: '2021-01-01', to: '2021-01-02' };
    const funnel = await send('POST', '/statistics/funnel/', keys.read.key, {
      steps: [TYPE, TYPE],
      window: 60,
      group_by: 'application',
      dropped: { step: 2 },
      ...days,
    });
    expect(funnel.body.steps.map(({ sessions }: any) => sessions)).toEqual([2, 0]);
    expect(funnel.body.groups.map(({ value }: any) => value)).toEqual(['other']);
    expect(funnel.body.dropped.map(({ id }: any) => id)).toEqual(['shared', 'own']);
    const retention = await send('POST', '/statistics/retention/', keys.read.key, { start: TYPE, ...days });
    expect(retention.body.cohorts.map(({ size }: any) => size)).toEqual([2, 0]);
    const followed = await send('POST', '/statistics/paths/', keys.read.key, { step: TYPE, ...days });
    expect(followed.body.sessions).toBe(2);
    expect(JSON.stringify(followed.body)).not.toContain('4711');
    const applications = await send('GET', '/applications/', keys.admin.key);
    expect(applications.body.map(({ name }: any) => name)).toEqual(['other']);
    const check = await send('POST', '/event-types/click/banner/check/', keys.read.key, {
      schema: { required: ['price'] },
    });
    expect(check.body).toEqual({ examined: 2, refused: 0, examples: [] });
  });

  it('is all that a key of it receives from the stream', async () => {
    const subscriber = await StreamSubscriber.open(eye, '', bearer(keys.read.key));
    const store = (key: string, session_id: string): Promise<EyeResponse> =>
      eye.post('/events/', anEvent({ session_id }), { ...bearer(key), prefer: 'wait=20' });
    await eventually(async () => {
      await store(keys.ingest.key, `first ${crypto.randomUUID()}`);
      expect(subscriber.events.length).toBeGreaterThan(0);
    });
    await store(hidden.ingest.key, `${SECRET} streamed`);
    await store(keys.ingest.key, 'last');
    await eventually(() => {
      expect(subscriber.events.at(-1)).toMatchObject({ session_id: 'last' });
      return Promise.resolve();
    });
    expect(new Set(subscriber.events.map(({ application }) => application))).toEqual(new Set(['other']));
    subscriber.close();
  });

  it('has rates of its own', async () => {
    const sums = async (key: string): Promise<Record<string, number>> => {
      const { body } = await send('GET', '/statistics/rates/', key);
      const sum = (values: number[]): number => values.reduce((all, value) => all + value, 0);
      return Object.fromEntries(
        ['accepted', 'stored', 'duplicates', 'refused'].map((name) => [name, sum(body[name])]),
      );
    };
    const { key } = await admin.create('rated', { scope: 'admin' });
    const event = anEvent({ session_id: 'rated' });
    for (const body of [[event, anEvent()], event, { ...event, name: '' }])
      await eye.post('/events/', body, bearer(key));
    await eventually(async () =>
      expect(await sums(key)).toEqual({ accepted: 3, stored: 2, duplicates: 1, refused: 1 }),
    );
    const all = await sums(admin.key);
    expect(all).toMatchObject({ duplicates: 1 });
    for (const [name, least] of [['accepted', 3] as const, ['stored', 2] as const, ['refused', 1] as const])
      expect(all[name]).toBeGreaterThan(least);
  });

  it('shows the part of a shared session that it has sent, and the whole session to a key for all applications', async () => {
    const own = {
      session_id: 'shared',
      first: '2021-01-01T09:15:02.000000Z',
      last: '2021-01-01T09:15:06.000000Z',
    };
    const part = {
      ...own,
      duration: 4,
      events: 2,
      applications: ['other'],
      categories: ['click'],
      entry: TYPE,
      exit: { ...TYPE, name: 'paid' },
    };
    await new Copy(eye).caughtUp();
    const list = await send('GET', '/sessions/?category=click', keys.read.key);
    expect(list.body.results).toEqual([part, expect.objectContaining({ session_id: 'own', events: 1 })]);
    expect(list.body.count).toBe(2);
    const found = await send('GET', '/sessions/shared/', keys.read.key);
    expect(found.body).toMatchObject({ ...part, next: null, previous: null });
    expect(found.body.results.map(({ name, elapsed }: any) => [name, elapsed])).toEqual([
      ['banner', null],
      ['paid', 4],
    ]);
    const first = await send('GET', '/sessions/shared/?page_size=1', keys.read.key);
    const second = (await send('GET', first.body.next, keys.read.key)).body;
    expect(second.results).toEqual([expect.objectContaining({ name: 'paid', elapsed: 4 })]);
    const whole = await eye.get('/sessions/shared/', admin.headers);
    expect(whole.body).toMatchObject({ events: 5, applications: [HIDDEN, 'other'] });
    expect(whole.body.results.map(({ elapsed }: any) => elapsed)).toEqual([null, 1, 1, 3, 3]);
  });

  it('has event types of its own, which check its events only', async () => {
    const type = '/event-types/form%20interaction/submit/';
    const definition = { schema: { required: ['email'] }, mode: 'enforce' };
    expect((await send('PUT', type, keys.admin.key, definition)).status).toBe(201);
    const event = anEvent({ category: 'form interaction', name: 'submit', data: {} });
    expect((await eye.post('/events/', event, bearer(keys.ingest.key))).status).toBe(400);
    expect((await eye.post('/events/', event, bearer(hidden.ingest.key))).status).toBe(202);
    expect((await eye.get(type, admin.headers)).status).toBe(404);
    expect((await eye.get(`${type}?application=other`, admin.headers)).body.version).toBe(1);
    for (const name of ['nobody', 'Shop', '%00']) {
      const { status, body } = await eye.get(`${type}?application=${name}`, admin.headers);
      expect([name, status, body.code]).toEqual([name, 404, 'not_found']);
    }
    const twice = await eye.get(`${type}?application=a&application=b`, admin.headers);
    expect([twice.status, Object.keys(twice.body.errors)]).toEqual([400, ['application']]);
  });

  it('is administered by its own admin keys, which create no key that sees more', async () => {
    const path = '/applications/other/keys/';
    const made = await send('POST', path, keys.admin.key, { scope: 'read' });
    expect([made.status, made.body.all_applications]).toEqual([201, false]);
    for (const options of [{ scope: 'read', all_applications: true }, { scope: 'metrics' }]) {
      const { status, body } = await send('POST', path, keys.admin.key, options);
      expect([status, body.code]).toEqual([403, 'forbidden']);
    }
    const forAll = await admin.create('other', { scope: 'read', all_applications: true });
    expect((await eye.get(`/events/?application=${HIDDEN}`, bearer(forAll.key))).status).toBe(200);
    const listed = await send('GET', '/applications/other/', keys.admin.key);
    const ids = listed.body.keys.map(({ id }: any) => id);
    expect([ids.includes(made.body.id), ids.includes(forAll.id)]).toEqual([true, false]);
    expect((await send('DELETE', `${path}${forAll.id}/`, keys.admin.key)).status).toBe(404);
    expect((await send('DELETE', `${path}${made.body.id}/`, keys.admin.key)).status).toBe(204);
  });

  it('has an audit log of every change of its keys and types, written with the change', async () => {
    const before = (await eye.get('/audit/', admin.headers)).body.count as number;
    const { key: adminKey } = await admin.create('audited', { scope: 'admin', expires_at: '2999-12-31' });
    const { id } = await admin.create('audited', { scope: 'ingest', rate_limit: 9 });
    const type = '/event-types/click/audited/';
    await send('PUT', type, adminKey, { schema: {}, mode: 'observe' });
    await send('PUT', type, adminKey, { schema: {}, mode: 'observe' });
    await send('DELETE', type, adminKey);
    for (let repeat = 0; repeat < 2; repeat++)
      await send('DELETE', `/applications/audited/keys/${id}/`, adminKey);
    for (const [path, body] of [
      ['/applications/', { name: 'audited' }],
      ['/applications/audited/keys/', { scope: 'root' }],
      ['/applications/nobody/keys/', { scope: 'read' }],
    ] as const)
      expect((await eye.post(path, body, admin.headers)).status).toBeGreaterThanOrEqual(400);

    const first = await send('GET', '/audit/?page_size=4', adminKey);
    const second = await send('GET', first.body.next, adminKey);
    const entries = [...first.body.results, ...second.body.results];
    const all = admin.key.slice(0, 'eye_admin_'.length + 6);
    const own = adminKey.slice(0, 'eye_admin_'.length + 6);
    expect(entries.map(({ actor, action, target }: any) => [actor, action, target])).toEqual([
      [own, 'key.revoke', id],
      [own, 'event_type.delete', 'click/audited'],
      [own, 'event_type.put', 'click/audited'],
      [all, 'key.create', id],
      [all, 'key.create', expect.any(String)],
      [all, 'application.create', 'audited'],
    ]);
    expect(entries[3].details).toMatchObject({ scope: 'ingest', rate_limit: 9, all_applications: false });
    expect(entries[4].details).toMatchObject({
      scope: 'admin',
      expires_at: expect.stringMatching(/^2999-12-31/),
    });
    for (const secret of [admin.key, adminKey])
      expect(JSON.stringify(entries)).not.toContain(secret.slice(17));
    expect((await eye.get('/audit/', admin.headers)).body.count).toBe(before + entries.length);
    const filters = `action=key.create&timestamp_after=${entries[5].at}&timestamp_before=${entries[3].at}`;
    expect((await eye.get(`/audit/?${filters}`, admin.headers)).body.results).toEqual(entries.slice(3, 5));
  });

  it('is kept apart from /metrics and /queues, which a key for all applications or of scope `metrics` may read', async () => {
    const metrics = await admin.create('other', { scope: 'metrics' });
    const readAll = await admin.create('other', { scope: 'read', all_applications: true });
    const statuses = async (path: string): Promise<number[]> =>
      Promise.all(
        [keys.ingest, keys.read, keys.admin, metrics, readAll, admin].map(
          async ({ key }) => (await eye.get(path, bearer(key))).status,
        ),
      );
    expect(await statuses('/metrics')).toEqual([403, 403, 403, 200, 200, 200]);
    expect(await statuses('/queues/api/queues')).toEqual([403, 403, 403, 403, 403, 200]);
    expect(await statuses('/health/live')).toEqual([200, 200, 200, 200, 200, 200]);
    expect((await eye.get('/events/', bearer(metrics.key))).status).toBe(403);
  });

  it('has keys that pay for what The Eye itself works on a question, such as the check of a schema on stored events', async () => {
    const { key: ingest } = await admin.create('checked', { scope: 'ingest' });
    const { key } = await admin.create('checked', { scope: 'admin', rate_limit: 100_000 });
    const [category, name] = ['checked', 'slow'];
    const data = { list: new Array<number>(60).fill(599) };
    const events = Array.from({ length: 100 }, () => anEvent({ category, name, data }));
    await eye.post('/events/', events, { prefer: 'wait=30', ...bearer(ingest) });
    const pointsOf = async (schema: object): Promise<number> => {
      const left = async (): Promise<number> =>
        Number(pointsLeft((await eye.get('/event-types/', bearer(key))).headers));
      const before = await left();
      const { body } = await eye.post(`/event-types/${category}/${name}/check/`, { schema }, bearer(key));
      expect(body).toMatchObject({ examined: 100 });
      return before - (await left());
    };
    const alternatives = Array.from({ length: 600 }, (_, index) => ({ const: index }));
    const reading = await pointsOf({});
    const checking = await pointsOf({ properties: { list: { items: { anyOf: alternatives } } } });
    expect(checking).toBeGreaterThan(reading + 10);
  });

  it('has keys that expire, and that show when they were last used', async () => {
    const { key, id } = await admin.create('other', {
      scope: 'read',
      expires_at: new Date(Date.now() + 2000).toISOString(),
    });
    expect((await eye.get('/events/', bearer(key))).status).toBe(200);
    await eventually(
      async () => expect((await eye.get('/events/', bearer(key))).status).toBe(401),
      onTime(2000),
    );
    const used = async (): Promise<Record<string, string | null>> => {
      const { body } = await eye.get('/applications/other/', admin.headers);
      return Object.fromEntries(body.keys.map((one: any) => [one.id, one.last_used_at]));
    };
    const unused = await admin.create('other', { scope: 'read' });
    // A process writes once a minute, and when it stops.
    await eye.restart({});
    const lastUsed = await used();
    expect(lastUsed[unused.id]).toBeNull();
    expect(Date.now() - Date.parse(lastUsed[id] ?? '')).toBeLessThan(60_000);
  });
});
