import { fastify, type FastifyInstance } from 'fastify';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { oneAtATime } from './one-at-a-time.plugin.js';

const PIPELINED = 300;

describe('The requests of a connection', () => {
  let server: FastifyInstance;
  /** Leads to Fastify past its own server, as its server for the second address of `localhost` does. */
  let further: Server;
  let client: Socket;
  let started: string[];
  let running: number;
  let mostRunning: number;
  beforeEach(async () => {
    started = [];
    running = mostRunning = 0;
    server = fastify();
    await server.register(oneAtATime);
    server.all('/*', async ({ url, body }) => {
      started.push(url);
      mostRunning = Math.max(mostRunning, ++running);
      await wait(0);
      running--;
      return url === '/large' ? ' '.repeat(16 * 1024 * 1024) : { url, body };
    });
    await server.listen();
    further = createServer((request, response) => server.routing(request, response)).listen(0, '127.0.0.1');
    await once(further, 'listening');
    client = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
    await once(client, 'connect');
  });
  afterEach(async () => {
    client.destroy();
    further.close();
    await server.close();
  });

  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

  /** Reads until so many responses have come. */
  const responses = async (count: number): Promise<string> => {
    let text = '';
    for await (const chunk of client as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if ((text.match(/HTTP\/1\.1 /g) ?? []).length === count && text.endsWith('}')) return text;
    }
    return text;
  };

  it('are served one after the other and all of them, in their order', async () => {
    const paths = Array.from({ length: PIPELINED }, (_, index) => `/${index}`);
    client.write(paths.map(get).join(''));
    await responses(PIPELINED);
    expect(started).toEqual(paths);
    expect(mostRunning).toBe(1);
  });

  it('are served one after the other by a server that Fastify makes for a further address, too', async () => {
    client.destroy();
    client = connect((further.address() as AddressInfo).port, '127.0.0.1');
    client.write(Array.from({ length: PIPELINED }, (_, index) => get(`/${index}`)).join(''));
    await responses(PIPELINED);
    expect(started).toHaveLength(PIPELINED);
    expect(mostRunning).toBe(1);
  });

  it('are not started while nobody reads the response before them', async () => {
    client.pause().write((get('/large') + get('/next')).repeat(PIPELINED));
    const other = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
    for (let time = 0; time < 20; time++) {
      other.write(get('/other'));
      await once(other, 'data');
    }
    other.destroy();
    expect(started.filter((path) => path !== '/other')).toEqual(['/large']);
  });

  it('are not started once the connection is lost', async () => {
    client.write(get('/large') + get('/next').repeat(PIPELINED));
    await once(client, 'data');
    client.resetAndDestroy();
    await server.close();
    expect(started).toEqual(['/large']);
  });

  it('may have bodies that arrive while others are served', async () => {
    const head =
      'POST /body HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 200002\r\n\r\n';
    client.write(`${get('/first')}${get('/second')}${head}"`);
    await wait(0);
    client.write(`${'x'.repeat(200_000)}"`);
    expect(await responses(3)).toContain(`"body":"${'x'.repeat(200_000)}"`);
    expect(started).toEqual(['/first', '/second', '/body']);
  });
});
