import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { Load } from '../support/load.js';
import { familyOf, gone, serversOf } from '../../testing/processes.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';

describe('The Eye that is told to stop (SIGTERM)', () => {
  let eye: TheEye;
  beforeEach(async () => void (eye = await TheEye.start()));
  afterEach(() => eye.close());

  it('while events arrive ends well within seconds, leaves no process, and has stored what it accepted', async () => {
    const load = Load.on(eye);
    await load.answered(202, 200);
    const family = [eye.process.pid ?? 0, ...(await familyOf((await serversOf(eye.dataDir)).supervisor))];
    const began = Date.now();
    expect(await eye.end()).toBe(0);
    expect(Date.now() - began).toBeLessThan(8000);
    await load.stop();
    await gone(family);
    await eye.start();
    await load.expectStored();
  });

  /** Resolves once it takes no new connection. */
  const closed = (): Promise<void> =>
    eventually(async () => {
      const asked = eye.get('/health/live', { connection: 'close' });
      await expect(asked).rejects.toThrow();
    });

  it('first answers the requests under way', async () => {
    const text = JSON.stringify([anEvent(), anEvent()]);
    const upload = request(new URL('/events/', eye.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': text.length },
    });
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.write(text.slice(0, 50));
    // So that it surely has arrived.
    await eye.store(anEvent());
    const end = eye.end();
    await closed();
    upload.end(text.slice(50));
    const [{ statusCode }] = await answered;
    expect(statusCode).toBe(202);
    expect(await end).toBe(0);
    await eye.start();
    await eye.drained();
    const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
    expect(row?.stored).toBe(3);
  });

  it('lets who sends it a large body meanwhile hear why that is refused', async () => {
    const { hostname, port } = new URL(eye.url);
    const socket = connect(Number(port), hostname);
    const head = (type: string, length: number): string =>
      `POST /events/ HTTP/1.1\r\nHost: the-eye\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
    const event = JSON.stringify(anEvent());
    socket.write(head('application/json', event.length) + event.slice(0, 20));
    await eye.store(anEvent());
    const end = eye.end();
    await closed();
    socket.write(event.slice(20) + head('text/plain', 5_000_000) + ' '.repeat(5_000_000));
    const said = [...(await textOf(socket)).matchAll(/HTTP\/1\.1 (\d+)|Connection: close/g)];
    expect(said.map(([words, status]) => status ?? words)).toEqual(['202', '415', 'Connection: close']);
    expect(await end).toBe(0);
  });
});

describe('The API without a worker that is told to stop', () => {
  it('tells those who wait for their events to be stored that they are queued', async () => {
    const api = await TheEye.start({ ROLE: 'api' });
    const answers = Array.from({ length: 20 }, () => api.post('/events/', anEvent(), { prefer: 'wait=20' }));
    await eventually(async () => {
      expect((await api.get('/health/ready')).body.checks.backlog.events).toBe(answers.length);
    });
    const began = Date.now();
    const end = api.end();
    for (const { status } of await Promise.all(answers)) expect(status).toBe(202);
    expect(await end).toBe(0);
    expect(Date.now() - began).toBeLessThan(8000);
    await api.close();
  });
});

describe('The Eye that is killed (SIGKILL)', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await TheEye.start()));
  afterAll(() => eye.close());

  it('while events arrive leaves no process, and its next start stores what it accepted, each once', async () => {
    const load = Load.on(eye);
    await load.answered(202, 200);
    const family = await familyOf((await serversOf(eye.dataDir)).supervisor);
    await eye.end('SIGKILL');
    await gone(family);
    await eye.start();
    await load.answered(202, 50);
    await load.expectStored();
  });
});
