import { createContext, runInContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { type Admin, bearer } from '../../testing/keys.js';
import { eventually, type EyeResponse, type TheEye } from '../../testing/the-eye.js';
import { RecordingProxy } from '../support/recording-proxy.js';
import { type CaptureMode, capture28Events, posthogNode } from '../support/posthog-node.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere, type StoredEvent } from '../support/stored.js';

const ACCEPTED = { status: 200, body: { status: 1 } };

let made = 0;

/** A valid and unique event of PostHog. */
const anEvent = (fields: Record<string, unknown> = {}): Record<string, any> => ({
  event: 'Order Completed',
  uuid: `00000000-0000-4000-8000-${String(++made).padStart(12, '0')}`,
  distinct_id: `user-${made}`,
  timestamp: new Date().toISOString(),
  properties: { price: 9.99 },
  ...fields,
});

describe('PostHog', () => {
  let eye: TheEye;
  let admin: Admin;
  let key: string;

  beforeAll(async () => {
    ({ eye, admin, key } = await startEyeWithKey({
      env: { REJECTIONS_SAMPLE: '1000', EVENTS_LIMIT: '5000' },
    }));
  });
  afterAll(async () => {
    const { output } = eye;
    await eye.close();
    expect(output).not.toContain(key);
  });

  const post = async (
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; body: any }> => {
    const { status, body: answer } = await eye.post(path, body, headers);
    return { status, body: answer };
  };

  const stored = (uuids: unknown[]): Promise<StoredEvent[]> =>
    allStoredWhere(eye, `data->>'uuid' = ANY($1) ORDER BY timestamp, data->>'uuid'`, uuids);

  describe.each<CaptureMode>(['v0', 'v1'])('as posthog-node speaks it in its mode %s', (mode) => {
    const user = `user-of-${mode}`;
    const session_id = `session-of-${user}`;
    const sent = (): Promise<StoredEvent[]> => allStoredWhere(eye, `data->>'distinct_id' = $1`, user);

    it('stores each of 28 events once, also if the same requests come again', async () => {
      const proxy = await RecordingProxy.start(() => eye.url);
      const { client, errors } = posthogNode(key, proxy.url, mode);
      capture28Events(client, user);
      await client.shutdown();
      expect(errors).toEqual([]);
      const rows = await sent();
      expect(rows).toHaveLength(28);
      expect(new Set(rows.map(({ data }) => data.uuid)).size).toBe(28);
      const of = (name: string): StoredEvent | undefined => rows.find((row) => row.name === name);
      expect(of('Order Completed')).toMatchObject({
        application: 'shop',
        session_id,
        category: 'track',
        clock_skew_ms: expect.any(Number),
        data: {
          event: 'Order Completed',
          distinct_id: user,
          properties: { text: 'Grüße 🎉', price: 9.99, nested: { list: [1, 2.5, null] } },
        },
      });
      expect(of('$pageview')).toMatchObject({ session_id, category: 'posthog' });
      expect(of('$identify')).toMatchObject({ session_id: user, category: 'posthog' });
      expect(JSON.stringify(of('$identify')?.data)).toContain('anon-1');
      expect(
        rows
          .filter(({ name }) => name === 'Item Viewed')
          .map(({ data }) => data.properties.n)
          .sort((a, b) => a - b),
      ).toEqual(Array.from({ length: 25 }, (_, n) => n));
      expect(JSON.stringify(rows)).not.toContain(key);
      expect(proxy.exchanges.map(({ path }) => path)).toEqual([
        mode === 'v0' ? '/batch/' : '/i/v1/analytics/events',
      ]);
      for (const response of await proxy.repeat()) expect(response.status).toBe(200);
      expect(await sent()).toHaveLength(28);
      proxy.close();
    });
  });

  describe('with a partly bad batch', () => {
    const bad = () => [
      anEvent({ event: undefined }),
      anEvent({ distinct_id: undefined }),
      anEvent({ timestamp: 'yesterday' }),
      anEvent({ timestamp: new Date(Date.now() + 3_600_000).toISOString() }),
      anEvent({ properties: { token: key, text: 'x'.repeat(70_000) } }),
    ];

    it('stores the good events, and shows the others with the reason in the words of PostHog', async () => {
      const good = [anEvent(), anEvent({ properties: { token: key } })];
      const [, second] = good;
      const events = [good[0], ...bad(), 7, second];
      expect(await post('/batch/', { api_key: key, batch: events })).toEqual(ACCEPTED);
      expect(await stored(good.map(({ uuid }) => uuid))).toHaveLength(2);
      const rejections = await eventually(async () => {
        const { body } = await eye.get('/rejections/?application=shop', admin.headers);
        expect(body.count).toBe(6);
        return body.results as { code: string; dialect: string; errors: object; event: any }[];
      });
      expect(rejections.map(({ code }) => code).sort()).toEqual([
        'invalid_timestamp',
        'missing_field',
        'missing_field',
        'timestamp_in_future',
        'too_large',
        'wrong_type',
      ]);
      expect(new Set(rejections.map(({ dialect }) => dialect))).toEqual(new Set(['posthog']));
      expect(rejections.find(({ errors }) => 'distinct_id' in errors)?.event).toMatchObject({
        event: 'Order Completed',
        properties: { price: 9.99 },
      });
      const rows = await eye.sql<{ event: string }>(
        `SELECT event FROM rejections WHERE application = 'shop'`,
      );
      expect(rows.filter(({ event }) => event.includes(key))).toEqual([]);
      expect(rows.filter(({ event }) => event.includes(`${key.slice(0, 17)}***`))).toHaveLength(1);
    });

    it('names the bad events by their uuid in v1', async () => {
      const good = anEvent();
      const [first, ...others] = bad();
      const events = [first, good, ...others];
      const { status, body } = await post('/i/v1/analytics/events', { batch: events }, bearer(key));
      expect(status).toBe(200);
      const drop = { result: 'drop', details: expect.any(String) };
      expect(body.results).toEqual({
        [good['uuid']]: { result: 'ok' },
        ...Object.fromEntries([first, ...others].map((event) => [event?.['uuid'], drop])),
      });
      expect(body.results[first?.['uuid']].details).toBe('event: This field is required.');
      expect(await stored([good['uuid']])).toHaveLength(1);
    });
  });

  it.each<[string, string, (body: unknown) => [unknown, Record<string, string>]]>([
    ['JSON', '/e/', (body) => [JSON.stringify(body), {}]],
    ['JSON as plain text', '/capture/', (body) => [JSON.stringify(body), { 'content-type': 'text/plain' }]],
    [
      'gzip that is announced',
      '/i/v0/e/',
      (body) => [gzipSync(JSON.stringify(body)), { 'content-encoding': 'gzip' }],
    ],
    [
      'gzip that is not announced',
      '/e/?compression=gzip-js&ver=1.0.0',
      (body) => [gzipSync(JSON.stringify(body)), { 'content-type': 'text/plain' }],
    ],
    [
      'a form',
      '/e/?compression=base64',
      (body) => [
        `data=${encodeURIComponent(Buffer.from(JSON.stringify(body)).toString('base64'))}`,
        { 'content-type': 'application/x-www-form-urlencoded' },
      ],
    ],
  ])('takes an envelope, an array and an event as %s', async (_, path, encode) => {
    const [one, two, three] = [anEvent(), anEvent(), anEvent()];
    const token = { properties: { token: key } };
    const bodies = [{ api_key: key, batch: [one] }, [{ ...two, ...token }], { ...three, ...token }];
    for (const body of bodies) expect(await post(path, ...encode(body))).toEqual(ACCEPTED);
    const rows = await stored([one['uuid'], two['uuid'], three['uuid']]);
    expect(rows.map(({ application }) => application)).toEqual(['shop', 'shop', 'shop']);
    expect(JSON.stringify(rows)).not.toContain(key);
  });

  it('gives an event without a time that of its first arrival, so that it is stored once', async () => {
    const event = anEvent({ timestamp: undefined });
    for (let attempt = 0; attempt < 3; attempt++)
      expect(await post('/e/', { api_key: key, batch: [event] })).toEqual(ACCEPTED);
    expect(await stored([event['uuid']])).toHaveLength(1);
  });

  it('keeps the skew of the clock of the client beside an event, whose identity does not depend on it', async () => {
    const event = anEvent();
    for (const minutes of [10, 20]) {
      const sent_at = new Date(Date.now() - minutes * 60_000).toISOString();
      expect(await post('/batch/', { api_key: key, batch: [event], sent_at })).toEqual(ACCEPTED);
    }
    const [row, ...others] = await stored([event['uuid']]);
    expect(others).toEqual([]);
    expect(row?.clock_skew_ms).toBeGreaterThanOrEqual(600_000);
    expect(row?.clock_skew_ms).toBeLessThan(1_200_000);
  });

  describe('with what it does not take', () => {
    const errorOf = ({ status, body }: EyeResponse | { status: number; body: any }): unknown => [
      status,
      body.type,
      body.code,
    ];

    it('answers 401 to a wrong key and to a missing one, wherever the key stands', async () => {
      const { key: read } = await admin.create('shop', { scope: 'read' });
      const denied = [401, 'authentication_error', 'unauthorized'];
      for (const wrong of ['phc_foreign', read, key.slice(0, -1), 7, null, { key }]) {
        expect(errorOf(await post('/batch/', { api_key: wrong, batch: [anEvent()] }))).toEqual(denied);
        expect(errorOf(await post('/e/', anEvent({ properties: { token: wrong } })))).toEqual(denied);
      }
      expect(errorOf(await post('/i/v1/analytics/events', { batch: [] }, bearer('phc_foreign')))).toEqual(
        denied,
      );
      expect(errorOf(await post('/flags/?v=2', { token: 'phc_foreign' }))).toEqual(denied);
      expect(errorOf(await eye.get('/array/phc_foreign/config'))).toEqual(denied);
      expect(errorOf(await eye.get('/array/phc_foreign/config.js'))).toEqual(denied);
    });

    it('answers 400 to a broken body, 413 to a batch of ten thousand, and names lz64', async () => {
      expect(errorOf(await post('/e/', '{"batch":', bearer(key)))).toEqual([
        400,
        'validation_error',
        'malformed_json',
      ]);
      const events = Array.from({ length: 10_000 }, () => ({ event: 'a', distinct_id: 'b' }));
      expect(errorOf(await post('/batch/', { api_key: key, batch: events }))).toEqual([
        413,
        'validation_error',
        'too_many_events',
      ]);
      const lz64 = await post('/e/?compression=lz64', 'data=NobwRAdghgtgp', bearer(key));
      expect(errorOf(lz64)).toEqual([415, 'validation_error', 'unsupported_media_type']);
      expect(lz64.body.detail).toContain('lz64');
    });

    it('answers 503 with Retry-After to a used up quota, because posthog-js drops the events of a 429', async () => {
      const { key: slow } = await admin.create('slow', { scope: 'ingest', rate_limit: 1 });
      const batch = [anEvent(), anEvent()];
      const response = await eye.post('/batch/', { api_key: slow, batch });
      expect(errorOf(response)).toEqual([503, 'throttled_error', 'rate_limited']);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    });
  });

  it('reports to posthog-js that flags and recordings are off, and nothing of surveys, whose script it would load', async () => {
    const off = { sessionRecording: false, hasFeatureFlags: false };
    const { status, body } = await eye.get(`/array/${key}/config`);
    expect({ status, body }).toMatchObject({ status: 200, body: { ...off, token: key } });
    expect(body).not.toHaveProperty('surveys');
    const script = await eye.get(`/array/${key}/config.js`);
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const window: Record<string, any> = {};
    runInContext(script.body, createContext({ window }));
    expect(window['_POSTHOG_REMOTE_CONFIG'][key]).toMatchObject({ config: off, siteApps: [] });
    for (const path of ['/flags/?v=2', '/decide/?v=3'])
      expect(await post(path, { token: key, distinct_id: 'user-1' })).toMatchObject({
        status: 200,
        body: { flags: {}, featureFlags: {}, errorsWhileComputingFlags: false },
      });
  });
});
