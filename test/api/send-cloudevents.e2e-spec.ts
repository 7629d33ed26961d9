import { CloudEvent, emitterFor, HTTP, Mode, type TransportFunction } from 'cloudevents';
import { gzipSync } from 'node:zlib';
import { type Admin, bearer } from '../../testing/keys.js';
import { eventually, type EyeResponse, type TheEye } from '../../testing/the-eye.js';
import { startEyeWithKey } from '../support/start-eye.js';
import { allStoredWhere, type StoredEvent } from '../support/stored.js';

const STRUCTURED = 'application/cloudevents+json';
const BATCH = 'application/cloudevents-batch+json';
const SHOP = 'https://shop.example';

describe('POST /events with CloudEvents', () => {
  let eye: TheEye;
  let admin: Admin;
  let key: string;

  beforeAll(async () => {
    ({ eye, admin, key } = await startEyeWithKey({ allowed_origins: [SHOP] }));
  });
  afterAll(() => eye.close());

  const send = (body: unknown, type: string, headers: Record<string, string> = {}): Promise<EyeResponse> =>
    eye.request('POST', '/events/', {
      headers: { ...bearer(key), 'content-type': type, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const stored = (source: string): Promise<StoredEvent[]> =>
    allStoredWhere(eye, `data->>'source' = $1 ORDER BY data->>'id'`, source);
  const anEvent = (source: string, id: string, more: object = {}): Record<string, unknown> => ({
    specversion: '1.0',
    id,
    source,
    type: 'com.example.item.viewed',
    time: new Date().toISOString(),
    ...more,
  });

  /** What the SDK calls with its message. */
  const transport: TransportFunction = async ({ headers, body }) => {
    const response = await fetch(`${eye.url}/events/`, {
      method: 'POST',
      headers: { ...(headers as Record<string, string>), ...bearer(key) },
      body: body as string,
    });
    return { status: response.status, body: await response.json() };
  };

  it.each([Mode.BINARY, Mode.STRUCTURED])(
    'stores what the SDK sends in %s mode, once, sent twice',
    async (mode) => {
      const source = `/shop/${mode}`;
      const emit = emitterFor(transport, { mode });
      const data = { n: -1, price: 9.99, text: 'Grüße 🎉', nested: { list: [1, 2.5, null] } };
      const events = [
        ...['order.completed', 'page.viewed', 'user.identified'],
        ...Array.from({ length: 25 }, () => 'item.viewed'),
      ].map(
        (name, index) =>
          new CloudEvent({
            id: `${index}`,
            source,
            type: `com.example.${name}`,
            subject: 'user-1',
            sessionid: 'anon-1',
            data: { ...data, index },
          }),
      );
      for (const event of [...events, ...events]) expect(await emit(event)).toMatchObject({ status: 202 });
      const rows = await stored(source);
      expect(rows).toHaveLength(28);
      expect(rows.find(({ data }) => data.id === '0')).toMatchObject({
        application: 'shop',
        session_id: 'anon-1',
        category: 'com.example.order',
        name: 'com.example.order.completed',
        data: {
          specversion: '1.0',
          source,
          subject: 'user-1',
          sessionid: 'anon-1',
          time: events[0]?.time,
          data: { ...data, index: 0 },
        },
      });
    },
  );

  it('accepts a batch, and names those of its events that are refused', async () => {
    const events = [anEvent('/batch', '1'), { id: '2', source: '/batch' }, anEvent('/batch', '3')];
    const { status, body } = await send(events, BATCH);
    expect({ status, body }).toEqual({
      status: 202,
      body: {
        accepted: 2,
        rejected: [{ index: 1, errors: { specversion: [expect.any(String)] } }],
        ids: [expect.any(String), expect.any(String)],
      },
    });
    expect((await stored('/batch')).map(({ data }) => data.id)).toEqual(['1', '3']);
    await eventually(async () => {
      const [rejection] = (await eye.get('/rejections/', admin.headers)).body.results;
      expect(rejection).toMatchObject({ dialect: 'cloudevents', event: { id: '2', source: '/batch' } });
    });
  });

  it('accepts a batch that the SDK has made of events', async () => {
    const message = HTTP.structured(new CloudEvent(anEvent('/sdk', '1') as never));
    const { status } = await send(`[${String(message.body)}]`, BATCH);
    expect(status).toBe(202);
    expect(await stored('/sdk')).toHaveLength(1);
  });

  it.each([
    ['application/gzip', gzipSync('{"a":1}'), {}, { data_base64: gzipSync('{"a":1}').toString('base64') }],
    ['text/plain', 'a text', { origin: SHOP }, { datacontenttype: 'text/plain', data: 'a text' }],
  ])('keeps data of %s in binary mode as it was sent', async (type, body, more, expected) => {
    const source = `/data/${type}`;
    const headers = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': source, 'ce-type': 'a.b', ...more };
    const { status } = await eye.request('POST', '/events/', {
      headers: { ...bearer(key), 'content-type': type, ...headers },
      body,
    });
    expect(status).toBe(202);
    expect((await stored(source)).map(({ data }) => data)).toMatchObject([expected]);
  });

  it('stores an event without a time once, however often it is sent', async () => {
    const event = anEvent('/timeless', '1', { time: undefined });
    for (let attempt = 0; attempt < 3; attempt++) {
      await send(event, STRUCTURED);
      expect(await stored('/timeless')).toHaveLength(1);
    }
  });

  it.each([
    [STRUCTURED, anEvent('/bad', '', {}), 400, 'invalid'],
    [STRUCTURED, [anEvent('/bad', '1')], 400, 'wrong_type'],
    [BATCH, [{}, 7], 400, 'invalid'],
    [STRUCTURED, '{"specversion":', 400, 'malformed_json'],
    ['application/cloudevents+avro', 'Obj', 415, 'unsupported_media_type'],
  ])('refuses a body of %s that is %j', async (type, body, status, code) => {
    const response = await send(body, type);
    expect({ status: response.status, code: response.body.code }).toEqual({ status, code });
    expect(response.headers.get('content-type')).toMatch('application/problem+json');
    expect(await stored('/bad')).toEqual([]);
  });

  it('leaves the events of The Eye on the same path as they were', async () => {
    const event = { session_id: 's', category: 'c', name: 'n', data: { source: '/own' } };
    const response = await send(event, 'application/json');
    expect(response.status).toBe(202);
    expect(response.body).toEqual({ id: expect.any(String), status: 'queued' });
    expect(await stored('/own')).toMatchObject([{ category: 'c', data: { source: '/own' } }]);
  });

  it('answers the handshake of a webhook, and needs a key for the delivery', async () => {
    const { status, headers } = await eye.request('OPTIONS', '/events', {
      headers: { 'webhook-request-origin': 'eventemitter.example', 'webhook-request-rate': '120' },
    });
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      allow: 'POST',
      'webhook-allowed-origin': 'eventemitter.example',
      'webhook-allowed-rate': '*',
    });
    const { status: refused } = await send(anEvent('/bad', '1'), STRUCTURED, { authorization: '' });
    expect(refused).toBe(401);
  });

  it('ignores what a request to another path says of CloudEvents', async () => {
    const { status } = await eye.get('/events/', { ...admin.headers, 'ce-id': '1' });
    expect(status).toBe(200);
  });
});
