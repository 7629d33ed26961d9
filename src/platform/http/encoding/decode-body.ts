import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  type BrotliDecompress,
  type Gunzip,
  type Inflate,
  type InflateRaw,
} from 'node:zlib';
import pLimit from 'p-limit';
import { GrowingBuffer } from '../growing-buffer.js';
import { bodyTooLarge, malformedEncoding } from '../http-errors.js';
import type { ContentCoding } from './content-codings.js';
import { decompressZstd } from './zstd.js';

export interface DecodeOptions {
  /** Bytes that may come out. */
  readonly limit: number;
  /**
   * Called with the bytes that have come out so far, before they are kept.
   * @returns a promise until which no more is decoded; undefined to continue
   * @throws DomainError, synchronously or by rejecting, to refuse the body
   */
  readonly onBytes: (size: number) => Promise<void> | undefined;
}

type Decoder = Gunzip | Inflate | InflateRaw | BrotliDecompress;

/** Bytes that come out of a decoder at once. */
const CHUNK_BYTES = 64 * 1024;

/** A decoder of Brotli may need 16 MiB outside the heap, and the thread pool works on four at a time. */
const MAX_DECODERS = 4;

const withDecoder = pLimit(MAX_DECODERS);

/**
 * Decodes a body that has fully arrived, and stops as soon as more comes out than may. Decoders run only when they have all
 * that they need, so slow senders hold none.
 *
 * @throws DomainError `body_too_large`, `malformed_encoding`, or an error of `onBytes`
 */
export function decodeBody(bytes: Buffer, coding: ContentCoding, options: DecodeOptions): Promise<Buffer> {
  return withDecoder(async () => {
    const decoded = new GrowingBuffer();
    for await (const chunk of decoderOf(coding)(bytes, options.limit)) {
      const size = decoded.size + chunk.length;
      if (size > options.limit) throw bodyTooLarge(options.limit);
      await options.onBytes(size);
      decoded.append(chunk);
    }
    return decoded.bytes;
  });
}

function decoderOf(coding: ContentCoding): (bytes: Buffer, limit: number) => AsyncIterable<Uint8Array> {
  switch (coding) {
    case 'gzip':
      return (bytes) => decompress(bytes, coding, createGunzip({ chunkSize: CHUNK_BYTES }));
    case 'deflate':
      return (bytes) =>
        decompress(
          bytes,
          coding,
          (isZlib(bytes) ? createInflate : createInflateRaw)({ chunkSize: CHUNK_BYTES }),
        );
    case 'br':
      return (bytes) => decompress(bytes, coding, createBrotliDecompress({ chunkSize: CHUNK_BYTES }));
    case 'zstd':
      return decompressZstd;
  }
}

/**
 * `deflate` is the zlib format, but some clients send it without its header (RFC 9110, section 8.4.1.2). The header names
 * the method 8 in its low bits. Without it, these are the bits of a stored block with padding that no encoder writes.
 */
function isZlib(bytes: Buffer): boolean {
  return bytes.length === 0 || ((bytes[0] ?? 0) & 0x0f) === 8;
}

/** Works in the thread pool. The decoder is closed when its reader stops. */
async function* decompress(bytes: Buffer, coding: ContentCoding, decoder: Decoder): AsyncGenerator<Buffer> {
  decoder.end(bytes);
  try {
    for await (const chunk of decoder as AsyncIterable<Buffer>) yield chunk;
  } catch (error) {
    throw malformedEncoding(coding, error as Error);
  }
  // It ends without an error at bytes that it does not know after its end.
  if (decoder.bytesWritten !== bytes.length) throw malformedEncoding(coding);
}
