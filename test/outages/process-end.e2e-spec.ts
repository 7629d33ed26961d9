import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { connect } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { Load } from '../support/load.js';
import { familyOf, gone, serversOf } from '../../testing/processes.js';
import { anEvent, eventually, TheEye } from '../../testing/the-eye.js';
import { startEmbedded, startEye } from '../support/start-eye.js';

describe('Graceful shutdown (SIGTERM)', () => {
  let eye: TheEye;
  beforeEach(async () => void (eye = await startEmbedded()));
  afterEach(() => eye.close());

  it('leaves no process and loses no accepted event while events arrive', async () => {
    const load = Load.on(eye);
    await load.waitForResponses(202, 200);
    const family = [eye.process.pid ?? 0, ...(await familyOf((await serversOf(eye.dataDir)).supervisor))];
    // The exit code would be 1 after 30 seconds.
    expect(await eye.end()).toBe(0);
    await load.stop();
    await gone(family);
    await eye.start();
    await load.expectStored();
  });

  /** Resolves once The Eye accepts no new connection. */
  const untilNotListening = (): Promise<void> =>
    eventually(async () => {
      const request = eye.get('/health/live', { connection: 'close' });
      await expect(request).rejects.toThrow();
    });

  it('waits for the requests in progress', async () => {
    const text = JSON.stringify([anEvent(), anEvent()]);
    const upload = request(new URL('/events/', eye.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': text.length },
    });
    const responded = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.write(text.slice(0, 50));
    // Ensures that the first part has arrived.
    await eye.store(anEvent());
    const end = eye.end();
    await untilNotListening();
    upload.end(text.slice(50));
    const [{ statusCode }] = await responded;
    expect(statusCode).toBe(202);
    expect(await end).toBe(0);
    await eye.start();
    await eye.drained();
    const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
    expect(row?.stored).toBe(3);
  });

  it('delivers the error response to a client that sends a large body during the shutdown', async () => {
    const { hostname, port } = new URL(eye.url);
    const socket = connect(Number(port), hostname);
    const head = (type: string, length: number): string =>
      `POST /events/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n`;
    const event = JSON.stringify(anEvent());
    socket.write(head('application/json', event.length) + event.slice(0, 20));
    await eye.store(anEvent());
    const end = eye.end();
    await untilNotListening();
    socket.write(event.slice(20) + head('text/plain', 5_000_000) + ' '.repeat(5_000_000));
    const responses = [...(await textOf(socket)).matchAll(/HTTP\/1\.1 (\d+)|Connection: close/g)];
    expect(responses.map(([words, status]) => status ?? words)).toEqual(['202', '415', 'Connection: close']);
    expect(await end).toBe(0);
  });
});

describe('Graceful shutdown of an API without a worker', () => {
  it('returns 202 to clients that wait for their events to be stored', async () => {
    const api = await startEye({ ROLE: 'api' });
    const responses = Array.from({ length: 20 }, () =>
      api.post('/events/', anEvent(), { prefer: 'wait=20' }),
    );
    await eventually(async () => {
      expect((await api.get('/health/ready')).body.checks.backlog.events).toBe(responses.length);
    });
    const end = api.end();
    for (const { status } of await Promise.all(responses)) expect(status).toBe(202);
    expect(await end).toBe(0);
    await api.close();
  });
});

describe('Graceful shutdown with DRAIN_SECONDS', () => {
  it('refuses no connection of a client that stops sending when the readiness says so', async () => {
    const eye = await startEye({ DRAIN_SECONDS: '8' });
    const agent = new Agent({ keepAlive: true });
    const send = (options: RequestOptions): Promise<IncomingMessage> =>
      new Promise((resolve, reject) => {
        const body = JSON.stringify(anEvent());
        const headers = { 'content-type': 'application/json', 'content-length': body.length };
        request(new URL('/events/', eye.url), { method: 'POST', headers, ...options }, (response) => {
          response.resume().once('end', () => resolve(response));
        })
          .once('error', reject)
          .end(body);
      });
    // Each request has a connection of its own, as those of a proxy without connections to keep.
    const outcomes: Promise<number | string | undefined>[] = [];
    const sender = setInterval(() => {
      outcomes.push(
        send({ agent: false }).then(
          ({ statusCode }) => statusCode,
          ({ code }: NodeJS.ErrnoException) => code,
        ),
      );
    }, 10);
    expect((await send({ agent })).headers.connection).toBe('keep-alive');
    await eventually(async () => expect((await Promise.all(outcomes)).length).toBeGreaterThan(50));

    const end = eye.end();
    await eventually(async () => {
      const { status, body } = await eye.get('/health/ready');
      expect([status, body.code]).toEqual([503, 'draining']);
    });
    expect((await eye.get('/health/live')).status).toBe(200);
    expect((await send({ agent })).headers.connection).toBe('close');
    const before = outcomes.length;
    await eventually(async () => expect((await Promise.all(outcomes)).length).toBeGreaterThan(before + 20));
    clearInterval(sender);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([202]));

    expect(await end).toBe(0);
    await expect(send({ agent: false })).rejects.toThrow('ECONNREFUSED');
    await eye.start();
    await eye.drained();
    const [row] = await eye.sql<{ stored: number }>('SELECT count(*)::int AS stored FROM events');
    expect(row?.stored).toBe(outcomes.length + 2);
    const ended = eye.end();
    await eventually(async () => expect((await eye.get('/health/ready')).status).toBe(503));
    eye.process.kill('SIGTERM');
    // A second signal does not wait for the first.
    expect(await ended).not.toBe(0);
    await eye.close();
  });
});

describe('A crash (SIGKILL)', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEmbedded()));
  afterAll(() => eye.close());

  it('while events arrive leaves no process, and the next start stores every accepted event once', async () => {
    const load = Load.on(eye);
    await load.waitForResponses(202, 200);
    const family = await familyOf((await serversOf(eye.dataDir)).supervisor);
    await eye.end('SIGKILL');
    await gone(family);
    await eye.start();
    await load.waitForResponses(202, 50);
    await load.expectStored();
  });
});
