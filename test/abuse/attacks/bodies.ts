import type { Socket } from 'node:net';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { zstd, zstdBomb } from '../../../testing/zstd-frames.js';
import type { Attack } from '../attack.js';
import type { Client } from '../client.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const TEXTS = '"session_id":"attack","category":"attack","name":"attack"';
const eventWith = (data: string): string => `{${TEXTS},"timestamp":"2024-01-01T00:00:00Z","data":${data}}`;

/** The body is made once, in the load process. */
function posts(name: string, make: () => string | Buffer, rest: Partial<Attack> = {}): Attack {
  let body: Buffer | undefined;
  return {
    name,
    scope: 'ingest',
    senders: 4,
    request: (client) => client.json('POST', '/events/', (body ??= Buffer.from(make()))),
    ...rest,
  };
}

function postsNdjson(name: string, make: () => string | Buffer, rest: Partial<Attack> = {}): Attack {
  let body: Buffer | undefined;
  return posts(name, make, {
    request: (client) =>
      client.send('POST', '/events/', { body: (body ??= Buffer.from(make())), headers: NDJSON }),
    ...rest,
  });
}

/** A body of blanks, which is far smaller than its content. */
function postsBomb(coding: string, make: () => Buffer, rest: Partial<Attack> = {}): Attack {
  let body: Buffer | undefined;
  return posts(`bombs of ${coding}`, make, {
    request: (client) =>
      client.send('POST', '/events/', {
        body: (body ??= make()),
        headers: { 'content-type': 'application/json', 'content-encoding': coding },
      }),
    ...rest,
  });
}

/** Bytes that come out of a bomb, if nothing stops it. */
const BOMB_BYTES = 200_000_000;

const list = (length: number, item: (index: number) => string): string =>
  Array.from({ length }, (_, index) => item(index)).join(',');

/** Sends a chunked body by hand. */
const chunked = (
  client: Client,
  lines: readonly string[],
  write: (socket: Socket) => Promise<void>,
): Promise<void> =>
  client.connection(async (socket) => {
    await client.write(
      socket,
      client.head('POST', '/events/', [...lines, 'Transfer-Encoding: chunked', 'Connection: close']),
    );
    await write(socket);
  });

const JSON_TYPE = 'Content-Type: application/json';
const NDJSON_TYPE = 'Content-Type: application/x-ndjson';

/** A part of a body that does not end. */
const ENDLESS = Buffer.alloc(1_000_000, ' ');

const MANY_FRAMES = Buffer.concat(Array<Buffer>(2000).fill(zstd(' '.repeat(2000))));

const duplicate = `{"a":[${list(2000, (index) => `{"k${index}":0}`)}]}`;

export const BODIES: readonly Attack[] = [
  postsNdjson('5,000,000 blank lines', () => '\n'.repeat(5_000_000), { short: true }),
  postsNdjson('5,000,000 blank lines, with a limit of 100', () => '\n'.repeat(5_000_000), { limit: 100 }),
  postsNdjson('2,600,000 lines of a space', () => ' \n'.repeat(2_600_000)),
  postsNdjson('2,600,000 lines of a bracket', () => '[\n'.repeat(2_600_000)),
  postsNdjson('2,600,000 lines of a byte order mark', () => Buffer.from('\uFEFF\n'.repeat(1_300_000))),
  posts('400,000 unknown fields', () => `{${list(400_000, (index) => `"a${index}":1`)}}`, {
    senders: 3,
    short: true,
  }),
  posts(
    '5,000 events of 100 unknown fields',
    () => `[${list(5000, () => `{${list(100, (index) => `"${index.toString(36)}":1`)}}`)}]`,
  ),
  posts('500,000 keys in data', () => eventWith(`{${list(480_000, (index) => `"${index}":0`)}}`), {
    short: true,
  }),
  posts('2,400,000 opening brackets', () => eventWith(`{"a":${'['.repeat(2_400_000)}`)),
  posts('2,400,000 opening and closing brackets', () =>
    eventWith(`{"a":${'['.repeat(2_400_000)}${']'.repeat(2_400_000)}}`),
  ),
  posts('1,700,000 opening braces with a key', () => `{"a":`.repeat(1_000_000)),
  posts('300,000 escaped keys', () =>
    eventWith(`{${list(300_000, (index) => `"\\u0061${index.toString(36)}":0`)}}`),
  ),
  posts('800,000 lone surrogates', () => eventWith(`{"a":"${'\\ud800'.repeat(800_000)}"}`)),
  posts('800,000 null characters', () => eventWith(`{"a":"${'\\u0000'.repeat(800_000)}"}`)),
  posts('2,500,000 zeros', () => eventWith(`{"a":[${list(2_500_000, () => '0')}]}`)),
  posts('one number of 5,000,000 digits', () => eventWith(`{"a":${'1'.repeat(5_000_000)}}`)),
  posts('250,000 numbers that are not exact', () =>
    eventWith(`{"a":[${list(250_000, () => '9007199254740993')}]}`),
  ),
  posts('the same key 600,000 times', () => eventWith(`{${list(600_000, () => '"a":0')}}`)),
  posts(
    '5,000 events with 500 items each',
    () => `[${list(5000, (index) => eventWith(`{"a":[${list(450, () => '0')}],"b":${index}}`))}]`,
  ),
  posts(
    '80 events of 64 KB of small objects',
    () => `[${list(80, (index) => eventWith(`{"i":${index},"a":${duplicate}}`))}]`,
  ),
  posts('5,000 refused events', () => `[${list(5000, () => '{"session_id":1,"data":[],"x":2}')}]`),
  posts('200 refused events, with a limit of 100', () => `[${list(200, () => '{"session_id":1}')}]`, {
    limit: 100,
  }),
  posts('refused events, one a request', () => '{"session_id":1}', { senders: 32 }),
  posts('5,000 good events', () => `[${list(5000, (index) => eventWith(`{"i":${index}}`))}]`),
  posts(
    'a text of 5,000,000 characters as a session',
    () => `{"session_id":"${'x'.repeat(5_000_000)}","category":"a","name":"a"}`,
  ),
  postsBomb('gzip', () => gzipSync(Buffer.alloc(BOMB_BYTES, ' ')), { senders: 16 }),
  postsBomb(
    'br',
    () =>
      brotliCompressSync(Buffer.alloc(BOMB_BYTES, ' '), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    { senders: 16, short: true },
  ),
  postsBomb('zstd', () => zstdBomb(BOMB_BYTES), { senders: 16 }),
  {
    name: 'bodies of 2,000 frames of zstd',
    scope: 'ingest',
    senders: 8,
    request: (client) =>
      client.send('POST', '/events/', {
        body: MANY_FRAMES,
        headers: { 'content-type': 'application/json', 'content-encoding': 'zstd' },
      }),
  },
  {
    name: 'bodies that stop 100 kB before their end',
    scope: 'ingest',
    senders: 90,
    pauseMs: 1000,
    request: (client) =>
      client.connection(async (socket) => {
        await client.write(socket, client.head('POST', '/events/', [JSON_TYPE, 'Content-Length: 5000000']));
        await client.write(socket, Buffer.alloc(4_900_000, ' '));
      }),
  },
  {
    name: 'lines that stop 100 kB before their end',
    scope: 'ingest',
    senders: 90,
    pauseMs: 1000,
    request: (client) =>
      client.connection(async (socket) => {
        await client.write(socket, client.head('POST', '/events/', [NDJSON_TYPE, 'Content-Length: 5000000']));
        await client.write(socket, Buffer.alloc(4_900_000, ' '));
      }),
  },
  {
    name: 'bodies of 4,900,000 bytes that are refused and sent again at once',
    scope: 'ingest',
    senders: 32,
    request: (client) =>
      client.connection(async (socket) => {
        socket.once('data', () => socket.destroy());
        await client.write(socket, client.head('POST', '/events/', [JSON_TYPE, 'Content-Length: 5000000']));
        await client.write(socket, Buffer.alloc(4_900_000, ' '));
      }),
  },
  {
    name: 'refused bodies that do not end',
    senders: 32,
    request: (client) =>
      client.connection(async (socket) => {
        await client.write(
          socket,
          client.head('POST', '/events/', [JSON_TYPE, 'Content-Length: 5000000000']),
        );
        while (!client.signal.aborted) await client.write(socket, ENDLESS);
      }),
  },
  {
    name: 'bodies of 500,000 chunks of one byte',
    scope: 'ingest',
    senders: 4,
    request: (client) =>
      chunked(client, [JSON_TYPE], async (socket) => {
        for (let part = 0; part < 100; part++) await client.write(socket, '1\r\n \r\n'.repeat(5000));
        await client.write(socket, '0\r\n\r\n');
      }),
  },
  {
    name: 'lines of 500,000 chunks of one byte',
    scope: 'ingest',
    senders: 4,
    request: (client) =>
      chunked(client, [NDJSON_TYPE], async (socket) => {
        for (let part = 0; part < 100; part++) await client.write(socket, '1\r\na\r\n'.repeat(5000));
        await client.write(socket, '0\r\n\r\n');
      }),
  },
  {
    name: 'chunks with extensions of 10,000 bytes',
    scope: 'ingest',
    senders: 8,
    request: (client) =>
      chunked(client, [JSON_TYPE], async (socket) => {
        for (let part = 0; part < 500; part++) await client.write(socket, `1;${'x'.repeat(10_000)}\r\n \r\n`);
        await client.write(socket, '0\r\n\r\n');
      }),
  },
  {
    name: 'trailers of 10,000 fields',
    scope: 'ingest',
    senders: 8,
    request: (client) =>
      chunked(client, [JSON_TYPE], async (socket) => {
        await client.write(socket, `2\r\n{}\r\n0\r\n${'x: 1\r\n'.repeat(10_000)}\r\n`);
      }),
  },
  {
    name: 'bodies that arrive a byte at a time',
    scope: 'ingest',
    senders: 300,
    request: (client) =>
      client.connection(async (socket) => {
        await client.write(socket, client.head('POST', '/events/', [JSON_TYPE, 'Content-Length: 5000000']));
        while (!client.signal.aborted) {
          await client.write(socket, ' ');
          await client.pause(100);
        }
      }),
  },
];
