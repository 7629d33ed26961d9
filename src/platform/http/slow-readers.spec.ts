import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { mustBeRead } from './slow-readers.js';

/** More than the buffers of the operating system hold. */
const LARGE = Buffer.alloc(32 * 1024 * 1024);

describe('An answer that must be read in time', () => {
  let server: Server;
  let limit: number;
  beforeEach(async () => {
    server = createServer((_, answer) => {
      mustBeRead(answer, limit);
      answer.setHeader('content-length', LARGE.length).end(LARGE);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => server.close());

  it('is cut off where its reader trickles', async () => {
    limit = 500;
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    let read = 0;
    const trickle = setInterval(() => (read += (socket.read(1024) as Buffer | null)?.length ?? 0), 20);
    const [connection] = (await once(server, 'connection')) as [typeof socket];
    await once(connection, 'close');
    clearInterval(trickle);
    socket.destroy();
    expect(read).toBeLessThan(LARGE.length);
  });

  it('comes whole to one who reads', async () => {
    limit = 50_000;
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect((await answer.arrayBuffer()).byteLength).toBe(LARGE.length);
    server.closeAllConnections();
  });
});
