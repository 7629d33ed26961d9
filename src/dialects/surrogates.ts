import { isUtf8 } from 'node:buffer';

/** The first byte of every surrogate in CESU-8. */
const LEAD = 0xed;

/**
 * Bytes whose CESU-8 is written as UTF-8. Nothing else is changed, so that other invalid bytes stay invalid. CESU-8 has two
 * surrogates of three bytes each for a character beyond the Basic Multilingual Plane, where UTF-8 has four bytes. Browsers and
 * libraries that walk over UTF-16 units write it for emoji.
 *
 * A body may consist of nothing else, so it goes byte by byte: text for each pair would block the event loop for seconds.
 * @see https://www.unicode.org/reports/tr26/
 */
export function toUtf8(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  const result = Buffer.allocUnsafe(bytes.length);
  let size = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (isPair(bytes, at)) {
      const high = surrogateAt(bytes, at);
      const low = surrogateAt(bytes, at + 3);
      const code = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff);
      result[size++] = 0xf0 | (code >> 18);
      result[size++] = 0x80 | ((code >> 12) & 0x3f);
      result[size++] = 0x80 | ((code >> 6) & 0x3f);
      result[size++] = 0x80 | (code & 0x3f);
      at += 5;
    } else result[size++] = bytes[at] as number;
  }
  return result.subarray(0, size);
}

/** Whether a high surrogate and a low one follow. */
const isPair = (bytes: Buffer, at: number): boolean =>
  bytes[at] === LEAD &&
  bytes[at + 3] === LEAD &&
  isBetween(bytes[at + 1], 0xa0, 0xaf) &&
  isBetween(bytes[at + 2], 0x80, 0xbf) &&
  isBetween(bytes[at + 4], 0xb0, 0xbf) &&
  isBetween(bytes[at + 5], 0x80, 0xbf);

const isBetween = (byte: number | undefined, first: number, last: number): boolean =>
  byte !== undefined && byte >= first && byte <= last;

/** The UTF-16 unit of three bytes. */
const surrogateAt = (bytes: Buffer, at: number): number =>
  0xd000 | (((bytes[at + 1] as number) & 0x3f) << 6) | ((bytes[at + 2] as number) & 0x3f);
