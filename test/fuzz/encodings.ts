import fc from 'fast-check';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { zstd } from '../../testing/zstd-frames.js';

/** A body as it is sent. */
export interface Encoded {
  bytes: Buffer;
  /** `Content-Encoding`. */
  coding: string | undefined;
  /** Whether it must be refused. */
  isDamaged: boolean;
}

type Encode = (bytes: Buffer) => Buffer;

const brotli: Encode = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });

/** In several members or frames. */
const inParts =
  (encode: Encode): Encode =>
  (bytes) => {
    const middle = bytes.length >> 1;
    return Buffer.concat([encode(bytes.subarray(0, middle)), encode(bytes.subarray(middle))]);
  };

const ENCODERS: [coding: string, encode: Encode][] = [
  ['gzip', (bytes) => gzipSync(bytes)],
  ['x-gzip', (bytes) => gzipSync(bytes, { level: 0 })],
  ['GZIP', inParts((bytes) => gzipSync(bytes))],
  ['deflate', (bytes) => deflateSync(bytes)],
  ['deflate', (bytes) => deflateRawSync(bytes)],
  ['br', brotli],
  ['identity, br', brotli],
  ['zstd', zstd],
  ['zstd', inParts(zstd)],
];

const UNTAKEN_CODINGS = ['compress', 'gzip, gzip', 'gzip, br', 'dcb', '*', 'constructor'];

const DAMAGES = {
  none: ({ bytes, coding }: Encoded) => ({ bytes, coding, isDamaged: false }),
  cut: ({ bytes, coding }: Encoded) => ({ bytes: bytes.subarray(0, -1), coding, isDamaged: true }),
  extended: ({ bytes, coding }: Encoded) => ({
    bytes: Buffer.concat([bytes, Buffer.from('{}')]),
    coding,
    isDamaged: true,
  }),
  'wrong label': ({ bytes, coding }: Encoded) => ({
    bytes,
    coding: coding === 'br' ? 'zstd' : 'br',
    isDamaged: coding !== 'identity, br',
  }),
  'untaken label': ({ bytes }: Encoded, index: number) => ({
    bytes,
    coding: UNTAKEN_CODINGS[index % UNTAKEN_CODINGS.length],
    isDamaged: true,
  }),
} satisfies Record<string, (encoded: Encoded, index: number) => Encoded>;

/** How the bytes of a body are encoded. Undefined leaves them as they are. */
export const encoding: fc.Arbitrary<((bytes: Buffer) => Encoded) | undefined> = fc.oneof(
  { arbitrary: fc.constant(undefined), weight: 12 },
  {
    arbitrary: fc
      .tuple(
        fc.constantFrom(...ENCODERS),
        fc.oneof(
          { arbitrary: fc.constant('none' as const), weight: 5 },
          fc.constantFrom(...(Object.keys(DAMAGES) as (keyof typeof DAMAGES)[])),
        ),
        fc.nat(),
      )
      .map(
        ([[coding, encode], damage, index]) =>
          (bytes: Buffer) =>
            DAMAGES[damage]({ bytes: encode(bytes), coding, isDamaged: false }, index),
      ),
    weight: 2,
  },
  {
    // A client that does not say that the events are compressed. On other routes, they are not.
    arbitrary: fc.constant((bytes: Buffer) => ({
      bytes: gzipSync(bytes),
      coding: undefined,
      isDamaged: false,
    })),
    weight: 1,
  },
);
