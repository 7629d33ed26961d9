/**
 * Frames of zstd (RFC 8878), which Node 20 cannot make. Their blocks are not compressed, or repeat one byte.
 */

const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

/** Bytes of the largest block. */
const MAX_BLOCK_BYTES = 128 * 1024;

export type ZstdBlock =
  { type: 'raw'; bytes: Uint8Array } | { type: 'repeated'; byte: number; times: number };

export interface ZstdFrameOptions {
  /** The exponent of a window of so many powers of two of bytes. */
  windowLog?: number;
  /** Bytes of the content, as the header claims. */
  contentSize?: number;
}

/** A frame of blocks, without a checksum. */
export function zstdFrame(
  blocks: readonly ZstdBlock[],
  { windowLog = 23, contentSize }: ZstdFrameOptions = {},
): Buffer {
  const header = [...MAGIC, contentSize === undefined ? 0 : 0x80, (windowLog - 10) << 3];
  const size = Buffer.alloc(contentSize === undefined ? 0 : 4);
  if (contentSize !== undefined) size.writeUInt32LE(contentSize);
  const parts = blocks.map((block, index) => encodeBlock(block, index === blocks.length - 1));
  return Buffer.concat([Buffer.from(header), size, ...parts]);
}

/** A frame of a content that is not compressed. */
export function zstd(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  const blocks: ZstdBlock[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += MAX_BLOCK_BYTES)
    blocks.push({ type: 'raw', bytes: bytes.subarray(at, at + MAX_BLOCK_BYTES) });
  return zstdFrame(blocks, { contentSize: bytes.length });
}

/** A frame of four bytes for each 128 KiB of blanks. */
export function zstdBomb(bytes: number): Buffer {
  const block: ZstdBlock = { type: 'repeated', byte: 0x20, times: MAX_BLOCK_BYTES };
  return zstdFrame(Array<ZstdBlock>(Math.ceil(bytes / MAX_BLOCK_BYTES)).fill(block));
}

function encodeBlock(block: ZstdBlock, isLast: boolean): Buffer {
  const [type, size, content] =
    block.type === 'raw' ? [0, block.bytes.length, block.bytes] : [1, block.times, Uint8Array.of(block.byte)];
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | Number(isLast), 0, 3);
  return Buffer.concat([header, content]);
}
