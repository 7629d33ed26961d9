import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { DomainError } from '../src/platform/errors/domain-error.js';
import type { ContentCoding } from '../src/platform/http/encoding/content-codings.js';
import { decodeBody } from '../src/platform/http/encoding/decode-body.js';
import { zstd, zstdBomb, zstdFrame } from '../testing/zstd-frames.js';

const LIMIT = 1024 * 1024;
const TEXT = JSON.stringify({ text: 'zażółć '.repeat(20_000) });

/** Three lines, compressed by the zstd program 1.5.4: with a checksum and the size, and with neither. */
const ZSTD_LINES = [
  'KLUv/WQ6AQUFAIKJHRiAzQPAKMJZBtFuEcMmwSHx57pYqMlB5/ZAVTFiYEBVrW08272rI+nbrm6debRJ9t3yS32Dn1Ltp3fGdVgptC2dby//UT9T29i9g0dbyxiWULDFHOneW8bvGZuWbiozQvpmS5Uq/e7xBgzfJ97GMCKTRvd2pgIPAACkYmA6ACmboE1EyDSZsiJT+0gtBoSsA4MzzswgbpCdwXHBfALt06Vs',
  'KLUv/QBYHQUAsksjHmBpqgPAwEBMkNHd+0adaNkoMgx8WpFqVk4I4AR3AoUkOQDHKSSJKXI74p+COaR/qWiAuERBMyGyDluyffEy3hdvW0X13EHPEvaIdJET4elGkVMm5RYPIGMEDmM4jCHgmOMiK1hKPFvpFr+thIt8lppbfGhLOaTdRWY8d3gmxC1WiQkusloEzS3EoxsBBgAApGJgOgApm6BNjEKmxabgzg==',
].map((text) => Buffer.from(text, 'base64'));

const ENCODED: [name: string, coding: ContentCoding, encode: (text: Buffer) => Buffer][] = [
  ['gzip', 'gzip', gzipSync],
  ['zlib', 'deflate', deflateSync],
  ['raw deflate', 'deflate', deflateRawSync],
  ['Brotli', 'br', brotliCompressSync],
  ['zstd', 'zstd', zstd],
];

describe('decodeBody()', () => {
  /** What came out so far, at each chunk. */
  let sizes: number[] = [];
  beforeEach(() => void (sizes = []));

  const decode = (bytes: Buffer, coding: ContentCoding, limit = LIMIT): Promise<Buffer> =>
    decodeBody(bytes, coding, { limit, onBytes: (size) => void sizes.push(size) });
  const codeOf = (decoded: Promise<Buffer>): Promise<string> =>
    decoded.then(
      () => 'decoded',
      (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
    );

  describe.each(ENCODED)('for %s', (_, coding, encode) => {
    it('returns the content, as large as it may be, and reports its size as it grows', async () => {
      const encoded = encode(Buffer.from(TEXT));
      const size = Buffer.byteLength(TEXT);
      expect((await decode(encoded, coding, size)).toString()).toBe(TEXT);
      expect(sizes).toEqual(sizes.toSorted((one, other) => one - other));
      expect(sizes.at(-1)).toBe(size);
      expect(await codeOf(decode(encoded, coding, size - 1))).toBe('body_too_large');
    });

    it('returns nothing for an empty content', async () => {
      expect(await decode(encode(Buffer.alloc(0)), coding)).toHaveLength(0);
    });

    it('refuses a body that is cut off anywhere', async () => {
      const encoded = encode(Buffer.from('{"a":1}'));
      for (let length = 0; length < encoded.length; length++)
        expect([length, await codeOf(decode(encoded.subarray(0, length), coding))]).toEqual([
          length,
          'malformed_encoding',
        ]);
    });

    it.each([
      ['JSON', '{}'],
      ['a null character', '\0'],
    ])('refuses %s after its end', async (_name, garbage) => {
      const body = Buffer.concat([encode(Buffer.from(TEXT)), Buffer.from(garbage)]);
      expect(await codeOf(decode(body, coding))).toBe('malformed_encoding');
    });

    it('refuses JSON that is not encoded', async () => {
      expect(await codeOf(decode(Buffer.from(TEXT), coding))).toBe('malformed_encoding');
    });

    it('does not go on after the caller refused what came out', async () => {
      const refused = new DomainError('rate_limited', 'rate_limited', 'Too much.');
      const calls: number[] = [];
      const decoded = decodeBody(encode(Buffer.from(TEXT)), coding, {
        limit: LIMIT,
        onBytes: (size) => {
          calls.push(size);
          return Promise.reject(refused);
        },
      });
      await expect(decoded).rejects.toBe(refused);
      expect(calls).toHaveLength(1);
    });
  });

  it.each<[string, ContentCoding, Buffer]>([
    ['gzip', 'gzip', gzipSync(Buffer.alloc(200 * LIMIT))],
    ['deflate', 'deflate', deflateSync(Buffer.alloc(200 * LIMIT))],
    [
      'Brotli',
      'br',
      brotliCompressSync(Buffer.alloc(200 * LIMIT), { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } }),
    ],
    ['zstd', 'zstd', zstdBomb(200 * LIMIT)],
    ['zstd of more blocks than any body needs', 'zstd', zstdBomb(5000 * LIMIT)],
    [
      'zstd that announces too much',
      'zstd',
      zstdFrame([{ type: 'repeated', byte: 0, times: 9 }], { contentSize: 2 ** 32 - 1 }),
    ],
  ])('stops at the limit of a bomb of %s', async (_, coding, bomb) => {
    expect(bomb.length).toBeLessThan(LIMIT);
    expect(await codeOf(decode(bomb, coding))).toBe('body_too_large');
    expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(LIMIT);
  });

  it('decodes several members of gzip and several frames of zstd, with frames to skip', async () => {
    const members = ['{"a":1}\n', '{"a":2}\n'];
    const text = members.join('');
    expect((await decode(Buffer.concat(members.map((member) => gzipSync(member))), 'gzip')).toString()).toBe(
      text,
    );
    const skipped = Buffer.from([0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
    const [first = '', second = ''] = members;
    const frames = Buffer.concat([skipped, zstd(first), skipped, zstd(''), zstd(second), skipped]);
    expect((await decode(frames, 'zstd')).toString()).toBe(text);
  });

  it.each<[string, ContentCoding, Buffer, number]>([
    ['gzip', 'gzip', gzipSync(TEXT), -8],
    ['zlib', 'deflate', deflateSync(TEXT), -1],
    ['zstd', 'zstd', ZSTD_LINES[0] as Buffer, -1],
  ])('refuses %s with a wrong checksum', async (_, coding, encoded, at) => {
    const wrong = Buffer.from(encoded);
    wrong.writeUInt8(wrong.readUInt8(wrong.length + at) ^ 1, wrong.length + at);
    expect(await codeOf(decode(encoded, coding))).toBe('decoded');
    expect(await codeOf(decode(wrong, coding))).toBe('malformed_encoding');
  });

  it('decodes compressed blocks of zstd, and no window beyond 8 MiB', async () => {
    for (const lines of ZSTD_LINES)
      expect((await decode(lines, 'zstd')).toString().match(/"session_id": "zstd".*\n/g)).toHaveLength(3);
    const blocks = [{ type: 'raw', bytes: Buffer.from('{}') }] as const;
    expect(await codeOf(decode(zstdFrame(blocks, { windowLog: 23 }), 'zstd'))).toBe('decoded');
    for (const windowLog of [24, 31, 41])
      expect(await codeOf(decode(zstdFrame(blocks, { windowLog }), 'zstd'))).toBe('malformed_encoding');
  });

  it('decodes or refuses every single flipped bit of a frame of zstd', async () => {
    for (const lines of ZSTD_LINES)
      for (let bit = 0; bit < lines.length * 8; bit++) {
        const flipped = Buffer.from(lines);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expect(['decoded', 'malformed_encoding', 'body_too_large']).toContain(
          await codeOf(decode(flipped, 'zstd')),
        );
      }
  });
});
