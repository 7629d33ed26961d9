import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pauseRequest, resumeRequest } from './pause-request.js';
import { openRawConnection, type RawConnection } from './raw-connection.spec-support.js';

const BODY = Buffer.alloc(5_000_000);
const HEAD = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${BODY.length}\r\n\r\n`;

describe('A request that is paused', () => {
  let connection: RawConnection;
  let request: IncomingMessage;
  beforeEach(async () => {
    connection = await openRawConnection((received, response) => {
      request = received;
      // As a body does that waits for its points: resumed and paused within one turn.
      request.on('data', () => {
        pauseRequest(request);
        resumeRequest(request);
        pauseRequest(request);
      });
      request.on('end', () => response.end('read'));
    });
  });
  afterEach(() => connection.close());

  it('is not read on, and its connection serves the next request once it was read', async () => {
    const { server, client } = connection;
    client.write(HEAD);
    client.write(BODY);
    await once(server, 'request');
    await sleep(300);
    const { socket } = request;
    expect(socket.bytesRead).toBeLessThan(256 * 1024);
    const read = once(client, 'data');
    request.removeAllListeners('data').on('data', () => undefined);
    resumeRequest(request);
    await read;
    expect(socket.bytesRead).toBe(HEAD.length + BODY.length);
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(client, 'data');
  });
});
