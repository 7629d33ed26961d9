import { ZSTDDecoder } from 'zstddec';
import { Timeslice } from '../../async/timeslice.js';
import { DomainError } from '../../errors/domain-error.js';
import { bodyTooLarge, malformedEncoding, tooManyBlocks, zstdFrameTooLarge } from '../http-errors.js';

/** A frame of RFC 8878. */
interface Frame {
  /** Where it ends. */
  readonly end: number;
  readonly blocks: number;
  /** Bytes that come out of it, if its header says so. */
  readonly contentSize: number | undefined;
  /** Bytes that come out of it at most. */
  readonly maxSize: number;
}

const MAGIC = 0xfd2fb528;

/** The magic number of a frame without content, without its low four bits. */
const SKIPPABLE_MAGIC = 0x184d2a5;

/** Bytes of the largest window that a content coding may need. @see https://www.rfc-editor.org/rfc/rfc9659 */
const MAX_WINDOW = 8 * 1024 * 1024;

/** Bytes of the largest block. */
const MAX_BLOCK_BYTES = 128 * 1024;

/** Bytes that may come out of one frame, because a whole frame is decoded at once: tens of milliseconds. */
const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** Blocks and frames of a body. Each costs some microseconds, however short it is; 5 MiB in one piece have 40. */
const MAX_BLOCKS = 2048;

const decoder = new ZSTDDecoder();

/**
 * Decompresses zstd. Node has none before version 22. The decoder is the reference implementation as WebAssembly; it works
 * on a whole frame at once, on the event loop, so the structure of every frame is checked before.
 *
 * @param limit bytes that may come out
 */
export async function* decompressZstd(bytes: Buffer, limit: number): AsyncGenerator<Uint8Array> {
  await decoder.init();
  const slice = new Timeslice();
  let left = limit;
  let blocks = 0;
  if (bytes.length === 0) throw malformedEncoding('zstd');
  for (let start = 0; start < bytes.length;) {
    const room = Math.min(left, MAX_FRAME_BYTES);
    const tooLarge = (): DomainError => (room < left ? zstdFrameTooLarge(room) : bodyTooLarge(limit));
    const frame = readFrame(bytes, start);
    blocks += frame.blocks;
    if (blocks > MAX_BLOCKS) throw tooManyBlocks();
    if ((frame.contentSize ?? 0) > room) throw tooLarge();
    const content = decode(bytes.subarray(start, frame.end), frame, room);
    if (content === undefined) throw frame.maxSize > room ? tooLarge() : malformedEncoding('zstd');
    left -= content.length;
    start = frame.end;
    yield content;
    if (slice.isOver) await slice.next();
  }
}

/**
 * The content of a frame.
 * @returns undefined if it is malformed, or larger than `room`: the decoder returns nothing in both cases
 */
function decode(bytes: Buffer, { contentSize, maxSize }: Frame, room: number): Uint8Array | undefined {
  const expected = contentSize ?? maxSize;
  if (expected === 0) return new Uint8Array(0);
  // The decoder takes 0 for a size that it has to find out.
  const content = decoder.decode(bytes, Math.max(1, Math.min(expected, room)));
  if (contentSize === undefined ? content.length === 0 : content.length !== contentSize) return undefined;
  return content;
}

/** @throws DomainError `malformed_encoding`, or `body_too_large` for too many blocks */
function readFrame(bytes: Buffer, start: number): Frame {
  try {
    const frame =
      bytes.readUInt32LE(start) >>> 4 === SKIPPABLE_MAGIC
        ? { end: start + 8 + bytes.readUInt32LE(start + 4), blocks: 1, contentSize: 0, maxSize: 0 }
        : readContentFrame(bytes, start);
    if (frame.end > bytes.length) throw malformedEncoding('zstd');
    return frame;
  } catch (error) {
    // A read beyond the end.
    throw error instanceof DomainError ? error : malformedEncoding('zstd', error as Error);
  }
}

function readContentFrame(bytes: Buffer, start: number): Frame {
  const header = readHeader(bytes, start);
  const { contentSize, windowSize } = header;
  if (windowSize > MAX_WINDOW) throw malformedEncoding('zstd', undefined, 'its window exceeds 8 MiB');
  const maxBlockBytes = Math.min(windowSize, MAX_BLOCK_BYTES);
  let position = header.end;
  let maxSize = 0;
  for (let blocks = 1; ; blocks++) {
    const block = bytes.readUIntLE(position, 3);
    const type = (block >> 1) & 3;
    const size = block >>> 3;
    // Raw, repeated or compressed; 3 is reserved.
    if (type === 3 || size > maxBlockBytes) throw malformedEncoding('zstd');
    maxSize += type === 2 ? maxBlockBytes : size;
    position += 3 + (type === 1 ? 1 : size);
    if ((block & 1) === 1)
      return { end: position + (header.hasChecksum ? 4 : 0), blocks, contentSize, maxSize };
    if (blocks > MAX_BLOCKS) throw tooManyBlocks();
  }
}

/** @see https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1.1 */
function readHeader(bytes: Buffer, start: number) {
  if (bytes.readUInt32LE(start) !== MAGIC) throw malformedEncoding('zstd');
  const descriptor = bytes.readUInt8(start + 4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  let position = start + 5;
  let windowSize = 0;
  if (!isSingleSegment) {
    const window = bytes.readUInt8(position++);
    const base = 2 ** (10 + (window >> 3));
    windowSize = base + (base / 8) * (window & 7);
  }
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  if (dictionaryBytes > 0 && bytes.readUIntLE(position, dictionaryBytes) !== 0)
    throw malformedEncoding('zstd', undefined, 'it needs a dictionary');
  position += dictionaryBytes;
  let contentSize: number | undefined;
  switch (descriptor >> 6) {
    case 0:
      if (isSingleSegment) contentSize = bytes.readUInt8(position++);
      break;
    case 1:
      contentSize = bytes.readUInt16LE(position) + 256;
      position += 2;
      break;
    case 2:
      contentSize = bytes.readUInt32LE(position);
      position += 4;
      break;
    default:
      contentSize = Number(bytes.readBigUInt64LE(position));
      position += 8;
  }
  if (isSingleSegment) windowSize = contentSize ?? 0;
  return { end: position, windowSize, contentSize, hasChecksum: (descriptor & 4) !== 0 };
}
