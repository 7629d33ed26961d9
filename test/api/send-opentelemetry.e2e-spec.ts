import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { gzipSync } from 'node:zlib';
import { type Admin, bearer } from '../../testing/keys.js';
import { eventually, type EyeResponse, type TheEye } from '../../testing/the-eye.js';
import { emit28Events, EXPORTERS, openTelemetry } from '../support/opentelemetry-node.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere, type StoredEvent } from '../support/stored.js';

const SHOP = 'https://shop.example';
const PROTOBUF = 'application/x-protobuf';

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } });
const aRecord = (session: string, more: object = {}): Record<string, unknown> => ({
  timeUnixNano: `${BigInt(Date.now()) * 1_000_000n + 123n}`,
  eventName: 'shop.opened',
  attributes: [text('session.id', session)],
  ...more,
});
const requestOf = (...logRecords: unknown[]): string =>
  JSON.stringify({ resourceLogs: [{ scopeLogs: [{ scope: { name: 'spec' }, logRecords }] }] });

describe('POST /v1/logs, with AUTH=required,', () => {
  let eye: TheEye;
  let admin: Admin;
  let key: string;

  beforeAll(async () => {
    ({ eye, admin, key } = await startEyeWithKey({ allowed_origins: [SHOP] }));
  });
  afterAll(() => eye.close());

  const send = (body: string | Buffer, headers: Record<string, string> = {}): Promise<EyeResponse> =>
    eye.request('POST', '/v1/logs', {
      headers: { ...bearer(key), 'content-type': 'application/json', ...headers },
      body,
    });
  const stored = (session: string): Promise<StoredEvent[]> =>
    allStoredWhere(eye, `session_id = $1 ORDER BY data->>'recordId'`, session);

  it.each(EXPORTERS)('stores what the exporter of JavaScript sends as %s', async (name) => {
    const session = `visit of ${name}`;
    const provider = openTelemetry(name, eye.url, bearer(key));
    emit28Events(provider, session);
    provider.getLogger('shop.web').emit({ body: 'A line of a log', attributes: { 'session.id': session } });
    await provider.shutdown();
    const rows = await stored(session);
    expect(rows.map((row) => row.name).sort()).toEqual(
      [...['order.completed', 'page.viewed', 'user.identified'], ...new Array<string>(25).fill('item.viewed')]
        .map((each) => `com.example.${each}`)
        .sort(),
    );
    const order = rows.find((row) => row.name === 'com.example.order.completed');
    expect(order).toMatchObject({
      application: 'shop',
      category: 'shop.web',
      data: {
        eventName: 'com.example.order.completed',
        body: { n: -1, price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } },
        attributes: { 'session.id': session, 'user.id': 'user-1' },
        resource: { attributes: { 'service.name': 'shop', 'service.version': '1.2.3' } },
        scope: { name: 'shop.web', version: '1.0.0' },
      },
    });
    expect(BigInt(order?.data.timeUnixNano) / 1_000_000n).toBe(BigInt(order?.timestamp.getTime() ?? 0));
  });

  it('stores the trace of an event that was emitted within a span, as its session if it has no other', async () => {
    const traceId = '5b8efff798038103d269b633813fc60c';
    const spanContext = { traceId, spanId: 'eee19b7ec3c1b174', traceFlags: 1 };
    const provider = openTelemetry('protobuf', eye.url, bearer(key));
    provider
      .getLogger('shop.web')
      .emit({ eventName: 'a', context: trace.setSpanContext(ROOT_CONTEXT, spanContext) });
    await provider.shutdown();
    expect(await stored(traceId)).toMatchObject([
      { data: { traceId, spanId: 'eee19b7ec3c1b174', flags: 1 } },
    ]);
  });

  it('stores a request once however often it is sent, compressed or not, and equal records in it each', async () => {
    const twin = aRecord('twice');
    const body = requestOf(twin, twin, { ...twin, timeUnixNano: undefined });
    for (let attempt = 0; attempt < 2; attempt++) {
      expect(await send(body)).toMatchObject({ status: 200, body: {} });
      expect(await send(gzipSync(body), { 'content-encoding': 'gzip' })).toMatchObject({ status: 200 });
    }
    expect(await stored('twice')).toHaveLength(3);
  });

  it('reports how many records are no events or refused, and stores their neighbours', async () => {
    const named = { eventName: 'nameless session' };
    const response = await send(
      requestOf(
        aRecord('neighbours'),
        { body: { stringValue: 'A line of a log' } },
        named,
        aRecord('neighbours', { timeUnixNano: '99999999999999999999' }),
        aRecord('neighbours'),
      ),
    );
    expect(response.status).toBe(200);
    expect(response.body.partialSuccess.rejectedLogRecords).toBe('3');
    expect(response.body.partialSuccess.errorMessage).toMatch(
      /^1 without an event name, which are no events; 1 refused: missing_field \(session\.id: .*; 1 refused: timestamp_in_future /,
    );
    expect(await stored('neighbours')).toHaveLength(2);
    const rejections = await eventually(async () => {
      const { results } = (await eye.get('/rejections/', admin.headers)).body;
      const found = results.filter((each: any) => each.dialect === 'opentelemetry');
      expect(found).toHaveLength(2);
      return found;
    });
    const missing = rejections.find(({ code }: any) => code === 'missing_field');
    expect(missing.event).toMatchObject({ scopeLogs: [{ scope: { name: 'spec' }, logRecords: [named] }] });
    expect(missing.event.recordId).toMatch(/^[\w-]{22}:2$/);
    const metrics = (await eye.get('/metrics', admin.headers)).body as string;
    expect(metrics).toMatch(/the_eye_messages_skipped_total\{[^}]*dialect="opentelemetry"[^}]*\} \d/);
  });

  it('accepts 10,000 records at once', async () => {
    const attributes = [text('session.id', 'many')];
    const response = await send(
      requestOf(...Array.from({ length: 10_000 }, () => ({ eventName: 'm', attributes }))),
    );
    expect(response).toMatchObject({ status: 200, body: {} });
    expect(await stored('many')).toHaveLength(10_000);
    expect(await send(requestOf(...Array.from({ length: 10_001 }, () => ({}))))).toMatchObject({
      status: 413,
      body: { code: 8, message: expect.stringContaining('10,000') },
    });
  });

  describe('an error', () => {
    it.each([
      ['a broken body', () => send('{"resourceLogs":['), 400, 3],
      ['a missing key', () => send('{}', { authorization: '' }), 401, 16],
      ['a key of another system', () => send('{}', { authorization: 'Bearer other' }), 401, 16],
      ['a page of another origin', () => send('{}', { origin: 'https://evil.example' }), 403, 7],
      ['an unknown content type', () => send('{}', { 'content-type': 'text/plain' }), 415, 3],
      ['a bomb', () => send(gzipSync(Buffer.alloc(50_000_000)), { 'content-encoding': 'gzip' }), 413, 8],
    ] as [string, () => Promise<EyeResponse>, number, number][])(
      'because of %s is a google.rpc.Status',
      async (_, request, status, code) => {
        expect(await request()).toMatchObject({ status, body: { code, message: expect.any(String) } });
      },
    );

    it.each([
      [400, Buffer.from('{}'), bearer],
      [401, Buffer.alloc(0), () => ({ authorization: 'Bearer other' })],
      [200, Buffer.alloc(0), bearer],
    ] as [number, Buffer<ArrayBuffer>, (key: string) => Record<string, string>][])(
      'and every response has the encoding of the request: %i in Protobuf',
      async (status, body, keyed) => {
        const response = await fetch(`${eye.url}/v1/logs`, {
          method: 'POST',
          headers: { ...keyed(key), 'content-type': PROTOBUF },
          body,
        });
        expect(response.status).toBe(status);
        expect(response.headers.get('content-type')).toBe(PROTOBUF);
        const bytes = Buffer.from(await response.arrayBuffer());
        // The code, then the tag of the message.
        expect([...bytes.subarray(0, 3)]).toEqual(
          status === 200 ? [] : [0x08, status === 400 ? 3 : 16, 0x12],
        );
      },
    );
  });

  it('allows a page of an origin of the key to send what its exporter asks for', async () => {
    const preflight = await eye.request('OPTIONS', '/v1/logs', {
      headers: {
        origin: SHOP,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(preflight.status).toBe(204);
    const response = await send(requestOf(aRecord('page')), { origin: SHOP });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(SHOP);
    expect(await stored('page')).toHaveLength(1);
  });
});
