import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Admin, bearer } from '../../testing/keys.js';
import { OwnRedis } from '../support/servers.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';
import { Watching } from '../support/watching.js';

/** Resolves once an assertion holds. */
const soon = (assertion: () => void): Promise<void> => eventually(() => Promise.resolve(assertion()), 20_000);

describe('The stream of events', () => {
  let redis: OwnRedis;
  let api: TheEye;
  let worker: TheEye;
  /** Another process that answers, and asks for keys. */
  let guarded: TheEye;
  let admin: Admin;
  const watchers: Watching[] = [];

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
    for (const watcher of watchers.splice(0)) watcher.close();
  });

  const watch = async (query = '', eye = api, headers: Record<string, string> = {}): Promise<Watching> => {
    const watching = await Watching.open(eye, query, headers);
    watchers.push(watching);
    return watching;
  };
  /** Stores an event in a session of this name. */
  const store = (session_id: string, fields: Record<string, unknown> = {}) =>
    api.store(anEvent({ session_id, ...fields }));
  const liveKeys = (): Promise<string[]> => api.redis((client) => client.keys('the-eye:live:*'));

  it('is not written while nobody watches', async () => {
    await store('unseen');
    expect(await liveKeys()).toEqual([]);
  });

  it('goes on where it was cut off before anything was stored', async () => {
    const before = await watch();
    await soon(() => expect(before.place).toMatch(/^\d+-0$/));
    before.close();
    await store('meanwhile');
    const after = await watch('', api, { 'last-event-id': before.place ?? '' });
    await after.saw('meanwhile');
    expect(after.messages).toHaveLength(1);
  });

  it('shows what another process stores, as the list does, and nothing twice', async () => {
    const watching = await watch();
    const { headers } = watching.response;
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
    await watching.saw('first');
    // In one batch with a new one, and on its own; the stored one is in the list by now, so it has to be sent past that.
    await api.post('/events/', [event, anEvent({ session_id: 'second' }), event]);
    await watching.saw('first', 'second');
    await api.post('/events/', event);
    await store('third');
    await watching.saw('first', 'second', 'third');
    const list = await api.get('/events/?session_id=first');
    expect(watching.events[0]).toEqual(list.body.results[0]);
  });

  it('shows what a viewer asks for', async () => {
    const application = await watch('?application=nobody');
    const session = await watch('?session_id=mine');
    const type = await watch('?category=click&name=cta');
    const day = await watch('?timestamp_after=2022-02-02T01:00:00%2B01:00&timestamp_before=2022-02-02');
    const all = await watch();
    await store('mine');
    await store('other', { category: 'click', name: 'cta', timestamp: '2022-02-02T00:00:00Z' });
    await store('another', { category: 'click', timestamp: '2022-02-03T00:59:59.999999+01:00' });
    await store('late', { timestamp: '2022-02-03T00:00:00Z' });
    await all.saw('mine', 'other', 'another', 'late');
    await session.saw('mine');
    await day.saw('other', 'another');
    await type.saw('other');
    expect(application.events).toEqual([]);
  });

  it('names what it does not understand', async () => {
    const unknown = await api.get('/events/stream?page=1&timestamp_after=yesterday');
    expect(unknown.status).toBe(400);
    expect(Object.keys(unknown.body.errors)).toEqual(['page', 'timestamp_after']);
    const bad = await api.get('/events/stream', { 'last-event-id': 'x' });
    expect([bad.status, Object.keys(bad.body.errors)]).toEqual([400, ['Last-Event-ID']]);
    const twice = await api.get('/events/stream?name=a&name=b');
    expect([twice.status, twice.body.errors]).toEqual([400, { name: ['Must be given once.'] }]);
  });

  it('goes on after the event that was seen last, in any process', async () => {
    const before = await watch();
    await store('seen');
    await before.saw('seen');
    before.close();
    for (const session of ['missed', 'missed too']) await store(session);
    const after = { 'last-event-id': before.messages[0]?.id ?? '' };
    await (await watch('', api, after)).saw('missed', 'missed too');
    await (await watch('?session_id=missed', api, after)).saw('missed');
    const other = await watch('', guarded, { ...after, ...admin.headers });
    await other.saw('missed', 'missed too');
    expect(other.skipped).toBe(0);
    await store('new');
    await other.saw('missed', 'missed too', 'new');
  });

  it('says that it cannot go on where too much has passed', async () => {
    const watching = await watch('', api, { 'last-event-id': '1-1' });
    await soon(() => expect(watching.messages[0]).toMatchObject({ event: 'skipped', data: { count: null } }));
  });

  it('beats, and says with it from where to go on', async () => {
    const all = await watch();
    const filtered = await watch('?name=none');
    await store('beaten');
    await all.saw('beaten');
    await soon(() => expect(filtered.place).toBe(all.messages[0]?.id));
  });

  it('needs a key that may read, and ends when it is revoked', async () => {
    expect((await guarded.get('/events/stream')).status).toBe(401);
    const [ingest, reader] = [
      await admin.create('shop', { scope: 'ingest' }),
      await admin.create('shop', { scope: 'read' }),
    ];
    expect((await guarded.get('/events/stream', bearer(ingest.key))).status).toBe(403);
    const watching = await watch('', guarded, bearer(reader.key));
    const other = await watch('', guarded, admin.headers);
    await store('allowed');
    await watching.saw('allowed');
    await guarded.request('DELETE', `/applications/shop/keys/${reader.id}/`, { headers: admin.headers });
    await soon(() => expect(watching.ended).toBe(true));
    expect(other.ended).toBe(false);
  });

  describe('to viewers who do not read', () => {
    const sockets: Socket[] = [];
    /** Bytes that a process holds in memory. */
    const memory = async ({ process: { pid } }: TheEye): Promise<number> =>
      Number(/^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    afterAll(() => {
      for (const socket of sockets) socket.destroy();
    });

    it('is bounded: it holds nothing for them, and tells everybody how many events a flood left out', async () => {
      const reader = await watch();
      const { port } = new URL(api.url);
      for (let viewer = 0; viewer < 100; viewer++) {
        const socket = connect(Number(port), '127.0.0.1').pause();
        socket.write('GET /events/stream HTTP/1.1\r\nHost: the-eye\r\n\r\n');
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

    it('does not keep the process from stopping, and ends in order for those who read', async () => {
      const reader = await watch();
      const began = performance.now();
      expect(await api.end()).toBe(0);
      expect(performance.now() - began).toBeLessThan(10_000);
      await soon(() => expect(reader.ended).toBe(true));
      await api.start();
    });
  });

  it('is written no longer once nobody has watched for a while', async () => {
    const watching = await watch();
    await store('watched');
    await watching.saw('watched');
    watching.close();
    const lasts = (): Promise<number> => api.redis((client) => client.ttl('the-eye:live:watched'));
    // Whoever has gone does not prolong it.
    await eventually(async () => expect(await lasts()).toBeLessThan(54), 20_000);
    await api.redis((client) => client.del('the-eye:live:watched', 'the-eye:live:events'));
    await store('nobody sees');
    await wait(300);
    expect(await liveKeys()).toEqual([]);
  });

  it('stops beating while Redis is away, refuses new viewers, and goes on when it is back', async () => {
    const watching = await watch();
    await store('before');
    await watching.saw('before');
    await redis.kill();
    await eventually(async () => {
      const { status, headers, body } = await api.get('/events/stream');
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'queue_unavailable', '1']);
    });
    const { beats } = watching;
    await wait(5500);
    expect(watching.beats).toBe(beats);
    await redis.start();
    await eventually(() => store('after'), 30_000);
    await soon(() => expect(watching.events.at(-1)?.session_id).toBe('after'));
    await soon(() => expect(watching.beats).toBeGreaterThan(beats));
    expect(watching.ended).toBe(false);
  });
});
