import type { Attack } from '../attack.js';
import type { Client } from '../client.js';

const PIPELINED = 2000;

/** Many requests at once on one connection. */
const pipeline = (client: Client, request: string, reads: boolean): Promise<void> =>
  client.connection((socket) => client.write(socket, request.repeat(PIPELINED)), reads);

export const CONNECTIONS: readonly Attack[] = [
  {
    name: 'headers that arrive a byte at a time',
    senders: 500,
    request: (client) =>
      client.connection(async (socket) => {
        await client.write(socket, client.head('GET', '/events/', ['X-Slow: '], true).slice(0, -2));
        while (!client.signal.aborted) {
          await client.write(socket, 'x');
          await client.pause(500);
        }
      }),
  },
  {
    name: 'idle connections',
    senders: 2000,
    request: (client) => client.connection(() => undefined),
  },
  {
    name: 'connections opened and closed at once',
    senders: 16,
    request: (client) => client.connection((socket) => socket.destroy()),
  },
  {
    name: '2,000 pipelined lists, which nobody reads',
    scope: 'read',
    senders: 4,
    request: (client) => pipeline(client, client.head('GET', '/events/?page_size=1000'), false),
  },
  {
    name: '2,000 pipelined requests without a key',
    senders: 8,
    request: (client) => pipeline(client, client.head('GET', '/nothing'), true),
  },
  {
    name: '2,000 pipelined events',
    scope: 'ingest',
    senders: 8,
    request: (client) => {
      const body = '{"session_id":"attack","category":"attack","name":"attack"}';
      const lines = ['Content-Type: application/json', `Content-Length: ${body.length}`];
      return pipeline(client, client.head('POST', '/events/', lines) + body, true);
    },
  },
  {
    name: 'requests with a foreign Host',
    senders: 16,
    statuses: [0, 400, 401, 403, 421],
    request: (client) =>
      client.send('GET', '/events/', {
        headers: { host: 'attacker.example:8000', origin: 'http://attacker.example:8000' },
      }),
  },
  {
    name: 'an Accept header of 15,000 bytes',
    scope: 'read',
    senders: 16,
    request: (client) =>
      client.send('GET', '/events/', {
        headers: { accept: `application/json${'; indent=8'.repeat(1400)},${'a/b;q=0.1,'.repeat(90)}` },
      }),
  },
  {
    name: 'a Prefer header of 15,000 bytes',
    scope: 'ingest',
    senders: 16,
    request: (client) => {
      const preferences = Array.from({ length: 1800 }, (_, index) => `a${index}=" "`).join(',');
      return client.json('POST', '/events/', '{}', { prefer: preferences.slice(0, 15_000) });
    },
  },
  {
    name: 'a Prefer header of spaces and quotes',
    scope: 'ingest',
    senders: 16,
    request: (client) =>
      client.json('POST', '/events/', '{}', { prefer: `wait${' \t'.repeat(7000)}"${'\\"'.repeat(400)}` }),
  },
  {
    name: 'a query of 100,000 bytes',
    scope: 'read',
    senders: 16,
    request: (client) => client.send('GET', `/events/?name=${'x'.repeat(100_000)}`),
  },
  {
    name: 'as many unknown parameters as fit',
    scope: 'read',
    senders: 16,
    request: (client) =>
      client.send(
        'GET',
        `/events/?${Array.from({ length: 3000 }, (_, index) => `${index.toString(36)}`).join('&')}`,
      ),
  },
  {
    name: 'the same parameter 3,000 times',
    scope: 'read',
    senders: 16,
    request: (client) => client.send('GET', `/events/?${'page=1&'.repeat(2000)}`),
  },
  {
    name: 'a path of 15,000 escaped bytes',
    senders: 16,
    request: (client) => client.send('GET', `/sessions/${'%2e%2F'.repeat(2500)}`),
  },
  {
    name: 'HEAD of the list',
    scope: 'read',
    senders: 16,
    request: (client) => client.send('HEAD', '/events/?page_size=1000'),
  },
  {
    name: 'OPTIONS from changing origins',
    senders: 16,
    request: (client) =>
      client.send('OPTIONS', '/events/', {
        headers: {
          origin: `https://${Math.random().toString(36).slice(2)}.example`,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x,'.repeat(5000),
        },
      }),
  },
  {
    name: 'random keys',
    senders: 16,
    request: (client) =>
      client.send('GET', '/events/', {
        headers: {
          authorization: `Bearer eye_read_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`,
        },
      }),
  },
  {
    name: 'random keys with bodies of 5,000,000 bytes',
    senders: 8,
    request: (client) =>
      client.json('POST', '/events/', Buffer.alloc(5_000_000, ' '), {
        authorization: `Bearer eye_ingest_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url')}`,
      }),
  },
];
