import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setReadTimeout } from './slow-readers.plugin.js';

/** More than the buffers of the operating system hold. */
const BODY = Buffer.alloc(32 * 1024 * 1024);

describe('The read timeout of a response', () => {
  let server: Server;
  let timeoutMs: number;
  beforeEach(async () => {
    server = createServer((_, response) => {
      setReadTimeout(response, timeoutMs);
      response.setHeader('content-length', BODY.length).end(BODY);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => server.close());

  it('closes the connection of a client that reads a few bytes at a time', async () => {
    timeoutMs = 500;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    let read = 0;
    const trickle = setInterval(() => (read += (socket.read(1024) as Buffer | null)?.length ?? 0), 20);
    const [connection] = (await once(server, 'connection')) as [typeof socket];
    await once(connection, 'close');
    clearInterval(trickle);
    socket.destroy();
    expect(read).toBeLessThan(BODY.length);
  });

  it('lets a client that reads in time receive the whole response', async () => {
    timeoutMs = 50_000;
    const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await response.arrayBuffer()).byteLength).toBe(BODY.length);
    server.closeAllConnections();
  });
});
