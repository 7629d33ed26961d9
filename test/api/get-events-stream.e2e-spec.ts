import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Admin, bearer } from '../../testing/keys.js';
import { OwnRedis } from '../support/servers.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';
import { StreamSubscriber } from '../support/stream-subscriber.js';

/** Resolves once an assertion holds. */
const soon = (assertion: () => void): Promise<void> => eventually(() => Promise.resolve(assertion()));

describe('GET /events/stream', () => {
  let redis: OwnRedis;
  let api: TheEye;
  let worker: TheEye;
  /** A second API process, which requires keys. */
  let guarded: TheEye;
  let admin: Admin;
  const subscribers: StreamSubscriber[] = [];

  beforeAll(async () => {
    redis = await OwnRedis.start();
    api = await startEye({ ROLE: 'api', REDIS_URL: redis.url });
    [worker, guarded] = await Promise.all([
      api.startPeer({ ROLE: 'worker' }),
      api.startPeer({ ROLE: 'api', AUTH: 'required' }),
    ]);
    admin = await Admin.of(guarded);
  });
  afterAll(async () => {
    await Promise.all([guarded.end(), worker.end()]);
    await api.close();
    await redis.close();
  });
  afterEach(() => {
    for (const subscriber of subscribers.splice(0)) subscriber.close();
  });

  const subscribe = async (
    query = '',
    eye = api,
    headers: Record<string, string> = {},
  ): Promise<StreamSubscriber> => {
    const subscriber = await StreamSubscriber.open(eye, query, headers);
    subscribers.push(subscriber);
    return subscriber;
  };
  /** Stores an event with this session id. */
  const store = (session_id: string, fields: Record<string, unknown> = {}) =>
    api.store(anEvent({ session_id, ...fields }));
  const streamKeys = (): Promise<string[]> => api.redis((client) => client.keys('the-eye:live:*'));

  it('does not write the Redis stream without subscribers', async () => {
    await store('unseen');
    expect(await streamKeys()).toEqual([]);
  });

  it('resumes when the connection drops before the first event', async () => {
    const before = await subscribe();
    await soon(() => expect(before.lastEventId).toMatch(/^\d+-0$/));
    before.close();
    await store('meanwhile');
    const after = await subscribe('', api, { 'last-event-id': before.lastEventId ?? '' });
    await after.receives('meanwhile');
    expect(after.messages).toHaveLength(1);
  });

  it('sends events that another process stores once, in the format of GET /events', async () => {
    const subscriber = await subscribe();
    const { headers } = subscriber.response;
    expect([
      headers.get('content-type'),
      headers.get('cache-control'),
      headers.get('x-accel-buffering'),
    ]).toEqual(['text/event-stream; charset=utf-8', 'no-store', 'no']);
    const event = anEvent({
      session_id: 'first',
      data: { text: 'ü\r\n\n𝄞\u2028', deep: [{ none: null, n: 0.1 }] },
    });
    await api.store(event);
    await subscriber.receives('first');
    // Send the stored event again, in a batch with a new event and alone.
    await api.post('/events/', [event, anEvent({ session_id: 'second' }), event]);
    await subscriber.receives('first', 'second');
    await api.post('/events/', event);
    await store('third');
    await subscriber.receives('first', 'second', 'third');
    const list = await api.get('/events/?session_id=first');
    expect(subscriber.events[0]).toEqual(list.body.results[0]);
  });

  it('sends only events that match the filters of the subscriber', async () => {
    const application = await subscribe('?application=nobody');
    const session = await subscribe('?session_id=mine');
    const type = await subscribe('?category=click&name=cta');
    const day = await subscribe('?timestamp_after=2022-02-02T01:00:00%2B01:00&timestamp_before=2022-02-02');
    const all = await subscribe();
    await store('mine');
    await store('other', { category: 'click', name: 'cta', timestamp: '2022-02-02T00:00:00Z' });
    await store('another', { category: 'click', timestamp: '2022-02-03T00:59:59.999999+01:00' });
    await store('late', { timestamp: '2022-02-03T00:00:00Z' });
    await all.receives('mine', 'other', 'another', 'late');
    await session.receives('mine');
    await day.receives('other', 'another');
    await type.receives('other');
    expect(application.events).toEqual([]);
  });

  it('rejects invalid parameters and an invalid Last-Event-ID with field errors', async () => {
    const unknown = await api.get('/events/stream?page=1&timestamp_after=yesterday');
    expect(unknown.status).toBe(400);
    expect(Object.keys(unknown.body.errors)).toEqual(['page', 'timestamp_after']);
    const bad = await api.get('/events/stream', { 'last-event-id': 'x' });
    expect([bad.status, Object.keys(bad.body.errors)]).toEqual([400, ['Last-Event-ID']]);
    const twice = await api.get('/events/stream?name=a&name=b');
    expect([twice.status, twice.body.errors]).toEqual([400, { name: ['Must be given once.'] }]);
  });

  it('resumes after Last-Event-ID in any process', async () => {
    const before = await subscribe();
    await store('seen');
    await before.receives('seen');
    before.close();
    for (const session of ['missed', 'missed too']) await store(session);
    const after = { 'last-event-id': before.messages[0]?.id ?? '' };
    await (await subscribe('', api, after)).receives('missed', 'missed too');
    await (await subscribe('?session_id=missed', api, after)).receives('missed');
    const other = await subscribe('', guarded, { ...after, ...admin.headers });
    await other.receives('missed', 'missed too');
    expect(other.skipped).toBe(0);
    await store('new');
    await other.receives('missed', 'missed too', 'new');
  });

  it('sends `skipped` when Last-Event-ID is too old to resume', async () => {
    const subscriber = await subscribe('', api, { 'last-event-id': '1-1' });
    await soon(() =>
      expect(subscriber.messages[0]).toMatchObject({ event: 'skipped', data: { count: null } }),
    );
  });

  it('sends heartbeats with the id to resume from', async () => {
    // Events of earlier specs may still come.
    const all = await subscribe('?session_id=beaten');
    const filtered = await subscribe('?name=none');
    await store('beaten');
    await all.receives('beaten');
    await soon(() => expect(filtered.lastEventId).toBe(all.messages[0]?.id));
  });

  it('requires a key of scope `read` and ends when the key is revoked', async () => {
    expect((await guarded.get('/events/stream')).status).toBe(401);
    const [ingest, reader] = [
      await admin.create('shop', { scope: 'ingest' }),
      await admin.create('default', { scope: 'read' }),
    ];
    expect((await guarded.get('/events/stream', bearer(ingest.key))).status).toBe(403);
    const subscriber = await subscribe('', guarded, bearer(reader.key));
    const other = await subscribe('', guarded, admin.headers);
    await store('allowed');
    await subscriber.receives('allowed');
    await guarded.request('DELETE', `/applications/default/keys/${reader.id}/`, { headers: admin.headers });
    await soon(() => expect(subscriber.ended).toBe(true));
    expect(other.ended).toBe(false);
  });

  it('refuses a key that has 500 subscribers, and still accepts those of another key', async () => {
    const [greedy, other] = [
      await admin.create('default', { scope: 'read' }),
      await admin.create('default', { scope: 'read' }),
    ];
    const { port } = new URL(guarded.url);
    const head = `GET /events/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${greedy.key}\r\n\r\n`;
    const sockets = Array.from({ length: 500 }, () => connect(Number(port), '127.0.0.1'));
    try {
      for (const socket of sockets) socket.write(head);
      await Promise.all(sockets.map((socket) => once(socket, 'readable')));
      const { status, body } = await guarded.get('/events/stream', bearer(greedy.key));
      expect([status, body.code]).toEqual([429, 'rate_limited']);
      const subscriber = await subscribe('', guarded, bearer(other.key));
      await store('fair');
      await subscriber.receives('fair');
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });

  describe('with subscribers that do not read', () => {
    const sockets: Socket[] = [];
    /** The resident memory of a process in bytes. */
    const memory = async ({ process: { pid } }: TheEye): Promise<number> =>
      Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
    });

    it('bounds its memory and reports the number of events skipped in a burst', async () => {
      const reader = await subscribe();
      const { port } = new URL(api.url);
      for (let i = 0; i < 100; i++) {
        const socket = connect(Number(port), '127.0.0.1').pause();
        socket.write('GET /events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n');
        sockets.push(socket);
      }
      const before = await memory(api);
      for (let time = 0; time < 6; time++) {
        await api.store(Array.from({ length: 500 }, () => anEvent({ data: { text: 'x'.repeat(4000) } })));
      }
      await soon(() => expect(reader.events.length + reader.skipped).toBe(3000));
      expect(reader.events.length).toBeGreaterThanOrEqual(200);
      expect(reader.skipped).toBeGreaterThan(0);
      expect((await memory(api)) - before).toBeLessThan(150_000_000);
      let text = '';
      sockets[0]?.on('data', (bytes: Buffer) => (text += bytes.toString())).resume();
      const counted = (): number =>
        [...text.matchAll(/^data: \{"count":(\d+)\}$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
      await soon(() => expect((text.match(/^event: event$/gm)?.length ?? 0) + counted()).toBe(3000));
    });

    it('does not delay the shutdown and ends the streams of active subscribers cleanly', async () => {
      const reader = await subscribe();
      // The exit code would be 1 after 30 seconds.
      expect(await api.end()).toBe(0);
      await soon(() => expect(reader.ended).toBe(true));
      await api.start();
    });
  });

  it('stops writing the Redis stream some time after the last subscriber has left', async () => {
    const subscriber = await subscribe();
    await store('watched');
    await subscriber.receives('watched');
    subscriber.close();
    const ttl = (): Promise<number> => api.redis((client) => client.ttl('the-eye:live:watched'));
    // A closed subscription does not extend the TTL.
    await eventually(async () => expect(await ttl()).toBeLessThan(54));
    await api.redis((client) => client.del('the-eye:live:watched', 'the-eye:live:events'));
    await store('nobody sees');
    // The worker publishes a batch before it takes the next one.
    await store('nobody sees this either');
    expect(await streamKeys()).toEqual([]);
  });

  it('stops heartbeats and rejects new subscribers while Redis is down, and resumes afterwards', async () => {
    const subscriber = await subscribe();
    await store('before');
    await subscriber.receives('before');
    await redis.kill();
    await eventually(async () => {
      const { status, headers, body } = await api.get('/events/stream');
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'queue_unavailable', '1']);
    });
    const { heartbeats } = subscriber;
    await wait(5500);
    expect(subscriber.heartbeats).toBe(heartbeats);
    await redis.start();
    await eventually(() => store('after'));
    await soon(() => expect(subscriber.events.at(-1)?.session_id).toBe('after'));
    await soon(() => expect(subscriber.heartbeats).toBeGreaterThan(heartbeats));
    expect(subscriber.ended).toBe(false);
  });
});
