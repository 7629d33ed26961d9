import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { readFile } from 'node:fs/promises';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { Admin, bearer, pointsLeft } from '../../testing/keys.js';
import { anEvent, type EyeResponse, eventually, TheEye } from '../../testing/the-eye.js';
import { zstd, zstdBomb, zstdFrame } from '../../testing/zstd-frames.js';
import { postInChunks } from '../support/post-in-chunks.js';
import { startEye } from '../support/start-eye.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const MEGABYTE = 1024 * 1024;
const BODY_LIMIT = MEGABYTE;

const CODINGS: [name: string, header: string, encode: (text: string) => Buffer][] = [
  ['gzip', 'gzip', (text) => gzipSync(text)],
  ['x-gzip', 'X-Gzip', (text) => gzipSync(text)],
  ['zlib', 'deflate', (text) => deflateSync(text)],
  ['raw deflate', 'deflate', (text) => deflateRawSync(text)],
  ['Brotli', 'br', (text) => brotliCompressSync(text)],
  ['zstd', 'zstd', zstd],
];

const brotliBomb = (bytes: number): Buffer =>
  brotliCompressSync(Buffer.alloc(bytes, ' '), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } });

describe('Compressed bodies', () => {
  let eye: TheEye;
  let admin: Admin;
  beforeAll(async () => {
    // All bodies together have the room of one.
    eye = await startEye({ BODY_LIMIT: String(BODY_LIMIT), BODIES_LIMIT: String(BODY_LIMIT) });
    admin = await Admin.of(eye);
  });
  afterAll(async () => {
    const { output } = eye;
    await eye.close();
    expect(output).not.toMatch(/"level":"(error|fatal)"/);
  });

  const send = (
    body: Uint8Array,
    coding: string,
    headers: Record<string, string> = {},
  ): Promise<EyeResponse> => eye.post('/events/', body, { 'content-encoding': coding, ...headers });

  /** Sends a body in chunks of so many bytes, without its length. */
  const sendChunked = async (
    body: Buffer,
    coding: string,
    chunkBytes: number,
  ): Promise<[status?: number, code?: string]> => {
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };
    const response = await postInChunks(eye.url, body, chunkBytes, headers);
    return [response.status, response.body.code];
  };

  describe.each(CODINGS)('of %s', (name, header, encode) => {
    it('are stored exactly once, as JSON and as NDJSON, with a length and in chunks, however often they are sent', async () => {
      const events = Array.from({ length: 500 }, (_, index) =>
        anEvent({ session_id: name, name: `event ${index}`, data: { text: 'ażółw '.repeat(20) } }),
      );
      const json = encode(JSON.stringify(events));
      const lines = encode(events.map((event) => JSON.stringify(event)).join('\n'));
      expect(json.length).toBeLessThan(header === 'zstd' ? MEGABYTE : 50_000);
      for (const sent of [await send(json, header), await send(lines, header, NDJSON)])
        expect([sent.status, sent.body.accepted]).toEqual([202, 500]);
      expect(await sendChunked(json, header, 1000)).toEqual([202, undefined]);
      await eye.drained();
      const [row] = await eye.sql<{ rows: number; names: number; texts: number }>(
        `SELECT count(*)::int AS rows, count(DISTINCT name)::int AS names,
                count(*) FILTER (WHERE data ->> 'text' = $2)::int AS texts FROM events WHERE session_id = $1`,
        [name, 'ażółw '.repeat(20)],
      );
      expect(row).toEqual({ rows: 500, names: 500, texts: 500 });
    });

    it('may decode to the longest body, and to no byte more', async () => {
      const padded = (bytes: number): string => JSON.stringify(anEvent()).padEnd(bytes, ' ');
      const longest = encode(padded(BODY_LIMIT));
      // A frame of zstd that is not compressed is larger than its content.
      if (longest.length <= BODY_LIMIT) expect((await send(longest, header)).status).toBe(202);
      const tooLong = await send(encode(padded(BODY_LIMIT + 1)), header);
      expect([tooLong.status, tooLong.body.code]).toEqual([413, 'body_too_large']);
    });

    it('get 400 if they are cut off, continue after their end, or are not encoded at all', async () => {
      const text = JSON.stringify(anEvent());
      const body = encode(text);
      for (const wrong of [
        body.subarray(0, -1),
        body.subarray(0, 5),
        Buffer.concat([body, Buffer.from('{}')]),
        Buffer.from(text),
        Buffer.alloc(0),
      ]) {
        const { status, body: problem } = await send(wrong, header);
        expect([status, problem.code]).toEqual([400, 'malformed_encoding']);
      }
      expect(await sendChunked(Buffer.from(text), header, 10)).toEqual([400, 'malformed_encoding']);
    });

    it('work on other routes, within the limit of those', async () => {
      const create = (body: string): Promise<EyeResponse> =>
        eye.post('/applications/', encode(body), { 'content-encoding': header });
      expect((await create(JSON.stringify({ name: name.toLowerCase().replace(' ', '-') }))).status).toBe(201);
      const { status, body } = await create(JSON.stringify({ name: 'x'.repeat(256 * 1024) }));
      expect([status, body.code]).toEqual([413, 'body_too_large']);
    });
  });

  it.each([
    ['gzip', () => gzipSync(Buffer.alloc(150 * MEGABYTE, ' '))],
    ['deflate', () => deflateSync(Buffer.alloc(150 * MEGABYTE, ' '))],
    ['br', () => brotliBomb(150 * MEGABYTE)],
    ['zstd', () => zstdBomb(200 * MEGABYTE)],
  ])('get 413 if they are bombs of %s, which cost no memory', async (coding, make) => {
    const bomb = make();
    expect(bomb.length).toBeLessThan(MEGABYTE / 2);
    const before = await peakMemory(eye);
    for (let round = 0; round < 8; round++) {
      const { status, body } = await send(bomb, coding);
      expect([status, body.code]).toEqual([413, 'body_too_large']);
    }
    // A decoder of Brotli has a window of 16 MiB.
    expect((await peakMemory(eye)) - before).toBeLessThan(100 * MEGABYTE);
  });

  it('get 400 if a frame of zstd needs a window of 2 GiB', async () => {
    const frame = zstdFrame([{ type: 'raw', bytes: Buffer.from(JSON.stringify(anEvent())) }], {
      windowLog: 31,
    });
    const { status, body } = await send(frame, 'zstd');
    expect([status, body.code, body.detail]).toEqual([
      400,
      'malformed_encoding',
      'The body is not complete and valid zstd: its window exceeds 8 MiB.',
    ]);
  });

  it('are recognized by their first bytes where no header says that they are gzip', async () => {
    const event = anEvent({ session_id: 'not labelled' });
    expect((await eye.post('/events/', gzipSync(JSON.stringify(event)))).status).toBe(202);
    expect((await eye.post('/events/', gzipSync(JSON.stringify(event)), NDJSON)).body.accepted).toBe(1);
    const wrong = await eye.post('/events/', gzipSync(JSON.stringify(event)).subarray(0, -1));
    expect([wrong.status, wrong.body.code]).toEqual([400, 'malformed_encoding']);
    const bomb = await eye.post('/events/', gzipSync(Buffer.alloc(20 * MEGABYTE)));
    expect([bomb.status, bomb.body.code]).toEqual([413, 'body_too_large']);
    await eye.drained();
    expect((await eye.get('/events/?session_id=not+labelled')).body.count).toBe(1);
    // Only for events: no client of other routes does so.
    expect((await eye.post('/applications/', gzipSync('{"name":"unlabelled"}'))).status).toBe(400);
  });

  it('are recognized in a beacon, which can set no header', async () => {
    const origin = 'https://shop.example';
    const { key } = await admin.create('beacons', { scope: 'ingest', allowed_origins: [origin] });
    const body = gzipSync(JSON.stringify(anEvent()));
    const { status } = await eye.post(`/events/?key=${key}`, body, { 'content-type': 'text/plain', origin });
    expect(status).toBe(202);
  });

  it('cost as many points of the rate limit as what comes out', async () => {
    const { key } = await admin.create('sized', { scope: 'ingest', rate_limit: 20 });
    const left = async (bytes: number): Promise<unknown[]> => {
      const body = gzipSync(JSON.stringify(anEvent()).padEnd(bytes, '\n'));
      const { status, headers } = await send(body, 'gzip', { ...bearer(key), ...NDJSON });
      return [status, pointsLeft(headers)];
    };
    expect(await left(4096)).toEqual([202, '19']);
    expect(await left(4097)).toEqual([202, '17']);
    expect(await left(4096 * 16)).toEqual([202, '1']);
    expect((await left(4096 * 2))[0]).toBe(429);
  });

  it('take as much of BODIES_LIMIT as what comes out', async () => {
    const { hostname, port } = new URL(eye.url);
    const small = gzipSync(JSON.stringify(anEvent()));
    const large = gzipSync(JSON.stringify(anEvent()).padEnd(BODY_LIMIT / 2, ' '));
    const lines = [
      'POST /events/ HTTP/1.1\r\nHost: localhost',
      'Content-Type: application/json',
      `Content-Length: ${BODY_LIMIT * 0.75}`,
    ];
    // Again with a new connection, since one that sends nothing for a second loses its place.
    await eventually(async () => {
      const holder: Socket = connect(Number(port), hostname).on('error', () => undefined);
      try {
        await once(holder, 'connect');
        holder.write(`${lines.join('\r\n')}\r\n\r\n{`);
        const refused = await send(large, 'gzip');
        expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
        expect((await send(small, 'gzip')).status).toBe(202);
      } finally {
        holder.destroy();
      }
    });
    await eventually(async () => expect((await send(large, 'gzip')).status).toBe(202));
  });

  it('get 415 with the codings that are taken, before they are sent, if their coding is none of these', async () => {
    for (const coding of ['compress', 'gzip, br']) {
      const { status, headers, body } = await send(gzipSync('{}'), coding);
      expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
      expect(headers.get('accept-encoding')).toBe('gzip, deflate, br, zstd, identity');
      expect(headers.get('accept')).toBeNull();
      expect(body.detail).toContain(coding);
    }
    const { hostname, port } = new URL(eye.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /events/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: compress\r\n' +
        'Content-Length: 9\r\nExpect: 100-continue\r\n\r\n',
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 415 /);
    socket.destroy();
  });

  it('end without a trace if their connection is lost', async () => {
    const { hostname, port } = new URL(eye.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const body = gzipSync(JSON.stringify(anEvent({ session_id: 'cut off' })));
    socket.write(
      `POST /events/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n` +
        `Content-Length: ${body.length}\r\n\r\n`,
    );
    socket.write(body.subarray(0, 20));
    socket.destroy();
    await eventually(async () =>
      expect((await send(gzipSync(JSON.stringify(anEvent())), 'gzip')).status).toBe(202),
    );
    await eye.drained();
    expect((await eye.get('/events/?session_id=cut+off')).body.count).toBe(0);
  });

  it('that are refused are recorded as such', async () => {
    await eventually(async () => {
      await send(Buffer.from('{}'), 'gzip');
      const { body } = await eye.get('/rejections/?code=unsupported_media_type');
      expect(JSON.stringify(body.results)).toContain('The body is not complete and valid gzip.');
    });
  });
});

/** The most bytes of memory that the process has had so far. */
async function peakMemory({ pid }: TheEye): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
