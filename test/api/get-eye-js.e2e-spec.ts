import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import type { TheEye } from '../../testing/the-eye.js';
import { startEye } from '../support/start-eye.js';

interface Raw {
  status: number | undefined;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
}

const CLIENT = join(import.meta.dirname, '../../packages/client/dist');

describe('GET /eye.js', () => {
  let eye: TheEye;

  beforeAll(async () => {
    eye = await startEye({ AUTH: 'required' });
  });
  afterAll(() => eye?.close());

  /** As it comes: fetch() would decompress it. */
  const raw = (headers: Record<string, string> = {}, path = '/eye.js?key=eye_ingest_x'): Promise<Raw> =>
    new Promise((resolve, reject) => {
      get(new URL(path, eye.url), { headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () =>
          resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      }).on('error', reject);
    });

  it('serves the same script to pages of all origins, with and without a key, cacheable', async () => {
    const plain = await raw({ origin: 'https://shop.example' });
    expect(plain.status).toBe(200);
    expect(plain.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=3600, stale-while-revalidate=86400',
      'cross-origin-resource-policy': 'cross-origin',
      'access-control-allow-origin': '*',
      'x-content-type-options': 'nosniff',
    });
    expect(plain.headers['vary']).toMatch(/accept-encoding/i);
    expect(plain.headers).not.toHaveProperty('access-control-allow-credentials');
    expect((await raw({}, '/eye.js')).body).toEqual(plain.body);
    expect(String(plain.body)).toBe(await readFile(join(CLIENT, 'eye.js'), 'utf8'));
  });

  it('compresses it as the client accepts', async () => {
    const { body } = await raw();
    const zipped = await raw({ 'accept-encoding': 'gzip, br;q=0' });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body)).toEqual(body);
    const br = await raw({ 'accept-encoding': 'gzip, deflate, br, zstd' });
    expect(br.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(br.body)).toEqual(body);
  });

  it('responds 304 to a client that has it', async () => {
    const { headers } = await raw();
    const again = await raw({ 'if-none-match': String(headers['etag']) });
    expect([again.status, again.body.length]).toEqual([304, 0]);
    expect((await raw({ 'if-none-match': 'W/"other"' })).status).toBe(200);
  });

  it('has an integrity hash, which GET /eye.json returns', async () => {
    const { body } = await raw();
    expect((await eye.get('/eye.json', { origin: 'https://shop.example' })).body).toEqual({
      integrity: `sha384-${createHash('sha384').update(body).digest('base64')}`,
      bytes: body.length,
    });
  });

  it('refuses unknown parameters, and does not log the key', async () => {
    expect((await raw({}, '/eye.js?kee=x')).status).toBe(400);
    expect(eye.output).not.toContain('eye_ingest_x');
  });
});

describe('The client of packages/client', () => {
  it.each([
    ['eye.js', 3072],
    ['index.js', 4096],
  ])('has a %s of at most %d bytes compressed', async (file, limit) => {
    const text = await readFile(join(CLIENT, file));
    const { length } = gzipSync(text, { level: 9 });
    expect(length).toBeGreaterThan(limit / 2);
    expect(length).toBeLessThanOrEqual(limit);
  });
});
