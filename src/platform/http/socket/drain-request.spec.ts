import { once } from 'node:events';
import type { Socket } from 'node:net';
import { environment } from '../../config/environment.js';
import { drainRequest } from './drain-request.js';
import { openRawConnection, type RawConnection } from './raw-connection.spec-support.js';

const MEBIBYTE = Buffer.alloc(1024 * 1024);
const MAX_BYTES = 4 * environment.BODY_LIMIT;

describe('The rest of a refused request', () => {
  let connection: RawConnection;
  let bytesRead: Promise<number>;
  let client: Socket;
  beforeEach(async () => {
    connection = await openRawConnection((request, response) => {
      const { socket } = request;
      bytesRead = once(socket, 'close').then(() => socket.bytesRead);
      response.writeHead(401, { 'content-length': 2 }).write('no');
      drainRequest(request, response, () => response.end());
    });
    ({ client } = connection);
  });
  afterEach(() => connection.close());

  const head = (length: number): string => `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;

  /** Writes until the connection is closed. */
  const flood = async (bytes: Buffer | string = MEBIBYTE): Promise<void> => {
    while (!client.destroyed) {
      if (client.write(bytes)) continue;
      // Writing to a connection that has just been closed fails.
      await Promise.race([once(client, 'drain'), once(client, 'close')]).catch(() => undefined);
    }
  };

  it('is discarded at a bounded pace, and the connection closed if it does not end', async () => {
    client.resume().write(head(5_000_000_000));
    const startedAt = performance.now();
    await flood();
    // 32 MiB/s, less a little that is read before.
    expect(performance.now() - startedAt).toBeGreaterThan(500);
    expect(await bytesRead).toBeGreaterThanOrEqual(MAX_BYTES);
    expect(await bytesRead).toBeLessThan(MAX_BYTES + 2 * MEBIBYTE.length);
  });

  it('counts each small chunk as two kibibytes, because it is parsed on its own', async () => {
    client.resume().write('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const startedAt = performance.now();
    await flood('1\r\nx\r\n'.repeat(10_000));
    expect(performance.now() - startedAt).toBeGreaterThan(500);
    const counted = (MAX_BYTES / 2048) * '1\r\nx\r\n'.length;
    expect(await bytesRead).toBeGreaterThanOrEqual(counted);
    expect(await bytesRead).toBeLessThan(counted + MEBIBYTE.length / 4);
  });

  it('leaves the connection open if it ends in time', async () => {
    client.write(head(3 * MEBIBYTE.length));
    for (let part = 0; part < 3; part++) client.write(MEBIBYTE);
    client.write(head(1) + 'x');
    let text = '';
    for await (const chunk of client as AsyncIterable<Buffer>) {
      text += chunk.toString();
      if (text.split('HTTP/1.1 401').length === 3 && text.endsWith('no')) break;
    }
    expect(text.split('HTTP/1.1 401')).toHaveLength(3);
  });

  it('does not keep the connection from being read, although it may end while it waits for its turn', async () => {
    const body = Buffer.alloc(100_000);
    for (let sent = 1; sent <= 100; sent++) {
      client.write(head(body.length));
      client.write(body);
      let text = '';
      while (!text.endsWith('no')) text += String(await once(client, 'data'));
      expect(text).toMatch(/^HTTP\/1\.1 401/);
    }
  });

  it('is not waited for longer than a second while nothing arrives', async () => {
    client.resume().write(`${head(100)}x`);
    await once(client, 'close');
    expect(await bytesRead).toBe(head(100).length + 1);
  });
});
