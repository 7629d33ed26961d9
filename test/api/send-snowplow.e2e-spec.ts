import { gzipSync } from 'node:zlib';
import { generateApiKey } from '../../src/auth/api-key.js';
import { type Admin, bearer } from '../../testing/keys.js';
import { eventually, type TheEye } from '../../testing/the-eye.js';
import { RecordingProxy } from '../support/recording-proxy.js';
import {
  countTypes,
  PAYLOAD,
  snowplowNode,
  type SnowplowOptions,
  track28Events,
  TYPES_OF_28,
} from '../support/snowplow-node.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere, type StoredEvent } from '../support/stored.js';

const TP2 = '/com.snowplowanalytics.snowplow/tp2';

let made = 0;

/** A valid and unique item. */
const anItem = (fields: Record<string, unknown> = {}): Record<string, any> => ({
  e: 'se',
  eid: `event-${++made}`,
  aid: 'shop',
  p: 'srv',
  dtm: String(Date.now()),
  stm: String(Date.now()),
  sid: `session-${made}`,
  se_ca: 'cart',
  se_ac: 'add',
  ...fields,
});

const envelope = (data: unknown): object => ({
  schema: 'iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4',
  data,
});

describe('Snowplow', () => {
  let eye: TheEye;
  let admin: Admin;
  let key: string;
  let readKey: string;

  beforeAll(async () => {
    ({ eye, admin, key } = await startEyeWithKey({
      env: { REJECTIONS_SAMPLE: '1000', EVENTS_LIMIT: '5000' },
    }));
    ({ key: readKey } = await admin.create('shop', { scope: 'read' }));
  });
  afterAll(async () => {
    const { output } = eye;
    await eye.close();
    expect(output).not.toContain(key);
  });

  const post = (
    body: unknown,
    headers: Record<string, string> = bearer(key),
    path = TP2,
  ): Promise<Response> =>
    fetch(`${eye.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json; charset=UTF-8', ...headers },
      body:
        body instanceof Buffer
          ? new Uint8Array(body)
          : typeof body === 'string'
            ? body
            : JSON.stringify(body),
    });

  const pixel = (parameters: Record<string, string>, options: RequestInit = {}): Promise<Response> =>
    fetch(`${eye.url}/i?${new URLSearchParams(parameters).toString()}`, options);

  const stored = (...eids: unknown[]): Promise<StoredEvent[]> =>
    allStoredWhere(eye, `data->>'eid' = ANY($1)`, eids);
  const rejections = async (): Promise<any[]> =>
    (await eye.get('/rejections/?page_size=1000', admin.headers)).body.results;

  describe.each<[string, (key: string) => Partial<SnowplowOptions>]>([
    ['POST and the key in appId', (own) => ({ appId: own })],
    [
      'POST of plain JSON and the key in the path',
      (own) => ({
        encodeBase64: false,
        emitter: { postPath: `${TP2}?key=${own}` },
      }),
    ],
    ['POST and the key in a header', (own) => ({ emitter: { customHeaders: bearer(own) } })],
    ['GET and the key in appId', (own) => ({ appId: own, emitter: { eventMethod: 'get' } })],
    [
      'GET and the key in a header',
      (own) => ({
        emitter: { eventMethod: 'get', customHeaders: bearer(own) },
      }),
    ],
  ])('as its tracker for Node sends it by %s', (title, optionsOf) => {
    it('stores each of 28 events once, also if the same requests come again', async () => {
      const proxy = await RecordingProxy.start(() => eye.url);
      const failures: unknown[] = [];
      const { emitter, ...options } = optionsOf(key);
      const tracker = snowplowNode({
        url: proxy.url,
        appId: 'web-shop',
        session: title,
        ...options,
        emitter: { ...emitter, onRequestFailure: (failure) => failures.push(failure) },
      });
      track28Events(tracker);
      await tracker.flush();
      const sent = (): Promise<StoredEvent[]> => allStoredWhere(eye, 'session_id = $1', title);
      const rows = await sent();
      expect(countTypes(rows)).toEqual(TYPES_OF_28);
      expect(new Set(rows.map(({ data }) => data.eid)).size).toBe(28);
      expect(rows.find(({ name }) => name === 'order_completed')).toMatchObject({
        application: 'shop',
        clock_skew_ms: expect.any(Number),
        data: {
          e: 'ue',
          tna: 'eye',
          ue_pr: { data: { schema: 'iglu:com.example/order_completed/jsonschema/1-0-0', data: PAYLOAD } },
          co: { data: [{ schema: 'iglu:com.example/cart/jsonschema/1-0-0', data: { items: 3 } }] },
        },
      });
      expect(rows.find(({ name }) => name === 'page_view')?.data).toMatchObject({
        url: 'https://shop.example/cart',
        page: 'A cart',
      });
      expect(rows.map(({ data }) => data.aid)).toEqual(
        rows.map(() => (options.appId === key ? undefined : 'web-shop')),
      );
      expect(JSON.stringify(rows)).not.toContain(key);
      for (const response of await proxy.repeat()) expect(response.status).toBe(200);
      expect(await sent()).toHaveLength(28);
      expect(failures).toEqual([]);
      proxy.close();
    });
  });

  it('responds as a collector does, so that nothing is cached', async () => {
    const text = await post(envelope([anItem()]));
    expect({ status: text.status, type: text.headers.get('content-type'), body: await text.text() }).toEqual({
      status: 200,
      type: 'text/plain; charset=utf-8',
      body: 'ok',
    });
    const image = await pixel(anItem({ aid: key }));
    expect(image.status).toBe(200);
    expect(Object.fromEntries(image.headers)).toMatchObject({
      'content-type': 'image/gif',
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'cross-origin',
    });
    expect(Buffer.from(await image.arrayBuffer()).toString('latin1')).toMatch(/^GIF89a[^]{35};$/);
  });

  it('stores the good items of a batch, and shows the others with the reason in the words of the protocol', async () => {
    const good = [anItem(), anItem({ aid: key }), anItem({ stm: undefined })];
    const bad = [
      anItem({ e: 'ue', ue_px: 'e30!', aid: key }),
      anItem({ e: 'ue', ue_px: Buffer.from('{"schema":').toString('base64url') }),
      anItem({ co: '{"n":9007199254740993}' }),
      anItem({ sid: undefined }),
      anItem({ se_ac: undefined }),
      anItem({ dtm: 'yesterday' }),
      anItem({ dtm: String(Date.now() + 3_600_000) }),
      anItem({ se_la: 'x'.repeat(70_000) }),
      7,
    ];
    const [first, ...others] = good;
    const response = await post(envelope([first, ...bad, ...others]));
    expect(response.status).toBe(200);
    expect(await stored(...good.map(({ eid }) => eid))).toHaveLength(3);
    const found = await eventually(async () => {
      const results = (await rejections()).filter(({ dialect }) => dialect === 'snowplow');
      expect(results).toHaveLength(bad.length);
      return results;
    });
    expect(found.map(({ code, errors }) => `${code} ${Object.keys(errors).join()}`).sort()).toEqual([
      'invalid_timestamp timestamp',
      'missing_field se_ac',
      'missing_field sid',
      'not_exact co.n',
      'timestamp_in_future timestamp',
      'too_large data',
      'wrong_type event',
      'wrong_type ue_px',
      'wrong_type ue_px',
    ]);
    for (const { id } of found) {
      const { status } = await eye.post(`/rejections/${id}/retry/`, undefined, admin.headers);
      // The one that was too large was cut.
      expect(status).toBe(409);
    }
    expect(found.find(({ errors }) => 'sid' in errors)?.event).toMatchObject({ e: 'se', se_ca: 'cart' });
    expect(JSON.stringify(found)).not.toContain(key);
  });

  it('translates an item again when it is retried', async () => {
    const item = anItem({ aid: key, dtm: String(Date.now() + 301_500) });
    await post(envelope([item]), {});
    const { id } = await eventually(async () => {
      const rejection = (await rejections()).find(({ event }) => event?.eid === item.eid);
      expect(rejection).toMatchObject({ code: 'timestamp_in_future', name: 'add', dialect: 'snowplow' });
      return rejection;
    });
    await eventually(async () => {
      const { status } = await eye.post(`/rejections/${id}/retry/`, undefined, admin.headers);
      expect(status).toBe(202);
    });
    expect(await stored(item.eid)).toHaveLength(1);
  });

  it('needs a key that may send, and answers without one with a status after which trackers stop', async () => {
    const item = anItem();
    const statuses = [
      await post(envelope([item]), {}),
      await post(envelope([{ ...item, aid: generateApiKey('ingest') }]), {}),
      await post(envelope([{ ...item, aid: readKey }]), {}),
      await post(envelope([item]), bearer(readKey)),
      await post(envelope([{ ...item, aid: key }]), { origin: 'https://shop.example' }),
      await pixel(item),
      await pixel({ ...item, aid: readKey }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401, 403, 403, 401, 401]);
    expect(await stored(item.eid)).toEqual([]);
  });

  it.each([
    ['that is empty', () => '', 400],
    ['that is not JSON', () => '{"data":[{]}', 400],
    ['without an array of events', () => ({ data: anItem() }), 400],
    ['that is an array', () => [anItem()], 400],
    ['of more events than one may send', () => envelope(Array(5001).fill({})), 422],
    ['of more bytes than one may send', () => `{"data":[]}${' '.repeat(5 * 1024 * 1024)}`, 422],
  ])('refuses a body %s for good', async (_, bodyOf, status) => {
    const response = await post(bodyOf());
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ code: expect.any(String), message: expect.any(String) });
  });

  it('refuses a coding and a charset that it does not know for good', async () => {
    const wrong: Record<string, string>[] = [
      { 'content-encoding': 'compress' },
      { 'content-type': 'application/json; charset=latin1' },
    ];
    for (const headers of wrong) {
      const response = await post(envelope([]), { ...bearer(key), ...headers });
      expect(response.status).toBe(422);
    }
  });

  it('takes a body of another content type, compressed, and with emoji in CESU-8', async () => {
    const items = [anItem({ se_la: '🎉' }), anItem({ se_la: '🎉' })];
    const cesu8 = Buffer.from(JSON.stringify(envelope([items[0]])).replace('🎉', '#')).toString('latin1');
    const emoji = Buffer.from([0xed, 0xa0, 0xbc, 0xed, 0xbe, 0x89]).toString('latin1');
    const body = Buffer.from(cesu8.replace('#', emoji), 'latin1');
    expect((await post(body, { ...bearer(key), 'content-type': 'text/plain' })).status).toBe(200);
    const gzip = gzipSync(JSON.stringify(envelope([items[1]])));
    expect((await post(gzip, { ...bearer(key), 'content-encoding': 'gzip' })).status).toBe(200);
    const rows = await stored(...items.map(({ eid }) => eid));
    expect(rows.map(({ data }) => data.se_la)).toEqual(['🎉', '🎉']);
  });

  it('stores nothing for HEAD', async () => {
    const item = anItem({ aid: key });
    expect((await pixel(item, { method: 'HEAD' })).status).toBe(200);
    expect(await stored(item.eid)).toEqual([]);
  });

  it('stores an event without a time once, at the time of its first arrival', async () => {
    const item = anItem({ dtm: undefined });
    for (let attempt = 0; attempt < 2; attempt++) {
      await post(envelope([{ ...item, stm: String(Date.now()) }]));
      await eye.drained();
    }
    expect(await stored(item.eid)).toHaveLength(1);
  });
});
