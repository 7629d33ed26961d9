import { type Admin, bearer } from '../../testing/keys.js';
import { eventually, type TheEye } from '../../testing/the-eye.js';
import { RecordingProxy } from '../support/recording-proxy.js';
import { PROPERTIES, SEGMENT_CLIENTS, TRAITS } from '../support/segment-clients.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere, type StoredEvent } from '../support/stored.js';

const SUCCESS = { status: 200, body: { success: true } };

describe('The Eye, as Segment’s API,', () => {
  let eye: TheEye;
  let admin: Admin;
  let key: string;

  beforeAll(async () => {
    ({ eye, admin, key } = await startEyeWithKey({ env: { REJECTIONS_SAMPLE: '1000' } }));
  });
  afterAll(async () => {
    await eye.close();
    expect(eye.output).not.toContain(key);
  });

  const storedOf = (anonymousId: string): Promise<StoredEvent[]> =>
    allStoredWhere(eye, `data->>'anonymousId' = $1`, anonymousId);
  const rejectionsOf = async (messageId: string): Promise<any[]> => {
    const { body } = await eye.get('/rejections/', admin.headers);
    return body.results.filter(({ event }: any) => event?.messageId === messageId);
  };
  const send = async (path: string, body: unknown, headers = bearer(key)): Promise<object> => {
    const response = await eye.post(path, body, headers);
    return { status: response.status, body: response.body };
  };

  it.each(SEGMENT_CLIENTS)(
    'stores each of 28 events of $name once, also if its requests come again',
    async ({ name, send }) => {
      const proxy = await RecordingProxy.start(() => eye.url);
      await send(proxy.url, key, name);
      const rows = await storedOf(name);
      expect(rows).toHaveLength(28);
      const of = (wanted: string): StoredEvent | undefined => rows.find((row) => row.name === wanted);
      const common = { application: 'shop', session_id: name };
      expect(of('Order Completed')).toMatchObject({
        ...common,
        category: 'track',
        data: { type: 'track', event: 'Order Completed', properties: { ...PROPERTIES, n: -1 } },
      });
      expect(of('Home')).toMatchObject({ ...common, category: 'page', data: { properties: { path: '/' } } });
      expect(of('identify')).toMatchObject({
        ...common,
        category: 'identify',
        data: { userId: 'user', traits: TRAITS },
      });
      const viewed = rows.filter((row) => row.name === 'Item Viewed').map(({ data }) => data.properties.n);
      expect(viewed.sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, n) => n));
      expect(new Set(rows.map(({ data }) => data.messageId)).size).toBe(28);
      const text = JSON.stringify(rows);
      for (const lost of [key, 'sentAt', 'writeKey']) expect(text).not.toContain(lost);
      for (const response of await proxy.repeat())
        expect({ status: response.status, body: await response.json() }).toEqual(SUCCESS);
      expect(await storedOf(name)).toHaveLength(28);
      proxy.close();
    },
  );

  it('takes a single event at each of its paths, which may say its type', async () => {
    const names = ['track', 'page', 'screen', 'identify', 'group', 'alias'];
    const paths = names.flatMap((name) => [
      `/v1/${name}`,
      `/v1/${name.charAt(0)}`,
      `/api/s/${name}`,
      `/api/s/s2s/${name}/`,
    ]);
    for (const path of paths)
      expect(await send(path, { event: 'E', anonymousId: 'paths', messageId: path })).toEqual(SUCCESS);
    const rows = await storedOf('paths');
    expect(Object.fromEntries(rows.map(({ category, data }) => [data.messageId, category]))).toEqual(
      Object.fromEntries(paths.map((path, index) => [path, names[Math.floor(index / 4)]])),
    );
  });

  it.each(['/v1/batch', '/v1/import', '/v1/b', '/beacon/v1/batch'])(
    'takes a batch at %s, and keeps the bad events of it without the key',
    async (path) => {
      const good = { type: 'track', event: 'E', anonymousId: `batch ${path}`, messageId: `good ${path}` };
      const bad = { ...good, event: '', writeKey: key, messageId: `bad ${path}` };
      const unknown = { ...good, type: 'delete', messageId: `unknown ${path}` };
      const body = { batch: [bad, good, unknown, null], writeKey: key, sentAt: new Date().toISOString() };
      expect(await send(path, body, {})).toEqual(SUCCESS);
      expect(await storedOf(`batch ${path}`)).toHaveLength(1);
      await eventually(async () => {
        expect(await rejectionsOf(`bad ${path}`)).toMatchObject([
          {
            code: 'missing_field',
            dialect: 'segment',
            event: { ...good, event: '', messageId: bad.messageId },
          },
        ]);
        expect(JSON.stringify(await rejectionsOf(`bad ${path}`))).not.toContain(key);
        expect(await rejectionsOf(`unknown ${path}`)).toMatchObject([{ event: unknown }]);
      });
    },
  );

  it('says to the sender of a single event why it is refused', async () => {
    expect(await send('/v1/track', { anonymousId: 'refused', messageId: 'refused' })).toEqual({
      status: 400,
      body: {
        code: 'invalid',
        message: expect.stringMatching(/event: Must be the name of what happened\.$/),
      },
    });
    await eventually(async () => expect(await rejectionsOf('refused')).toHaveLength(1));
    expect(await storedOf('refused')).toEqual([]);
  });

  it.each([
    [
      'a batch of ten thousand',
      { batch: Array.from({ length: 10_000 }, () => ({})) },
      413,
      'too_many_events',
    ],
    ['no key', { batch: [] }, 401, 'unauthorized'],
    ['a foreign key', { batch: [], writeKey: 'WRITEKEY123' }, 401, 'unauthorized'],
  ])('answers %s by code and message', async (title, body, status, code) => {
    const headers = title.startsWith('a batch') ? bearer(key) : {};
    expect(await send('/v1/batch', body, headers)).toEqual({
      status,
      body: { code, message: expect.any(String) },
    });
  });

  it('is asked to wait with 429 and Retry-After beyond the limit of a key', async () => {
    const { key: slow } = await admin.create('slow', { scope: 'ingest', rate_limit: 10 });
    const batch = Array.from({ length: 11 }, () => ({ type: 'page', anonymousId: 'slow' }));
    const { status, headers, body } = await eye.post('/v1/batch', { batch }, bearer(slow));
    expect({ status, body }).toEqual({
      status: 429,
      body: { code: 'rate_limited', message: expect.any(String) },
    });
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('gives browsers the settings without which their clients send nothing, for a key only', async () => {
    const { body: segment } = await eye.get(`/v1/projects/${key}/settings`);
    const { host } = new URL(eye.url);
    expect(segment).toMatchObject({
      integrations: { 'Segment.io': { apiKey: key, apiHost: `${host}/v1`, protocol: 'http' } },
      metrics: { sampleRate: 0 },
    });
    const basic = { authorization: `Basic ${btoa(`${key}:`)}` };
    for (const [path, headers] of [
      [`/sourceConfig/?writeKey=${key}&p=npm`, {}],
      ['/sourceConfig', basic],
    ] as const) {
      const { body: rudderStack } = await eye.get(path, headers);
      expect(rudderStack).toMatchObject({ source: { enabled: true, destinations: [] } });
    }
    for (const path of ['/v1/projects/WRITEKEY123/settings', '/sourceConfig/', '/sourceConfig/?writeKey=x'])
      expect(await eye.get(path)).toMatchObject({ status: 401, body: { code: 'unauthorized' } });
  });
});
