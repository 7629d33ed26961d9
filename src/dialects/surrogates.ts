import { isUtf8 } from 'node:buffer';

/**
 * Two surrogates, each as three bytes: what CESU-8 has for a character beyond the Basic Multilingual Plane, where UTF-8 has
 * four bytes. Browsers and libraries that walk over UTF-16 units write it for emoji.
 * @see https://www.unicode.org/reports/tr26/
 */
const PAIR = /\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]/g;

/** Bytes whose CESU-8 is written as UTF-8. Nothing else is changed, so that other invalid bytes stay invalid. */
export function toUtf8(bytes: Buffer): Buffer {
  if (isUtf8(bytes)) return bytes;
  return Buffer.from(bytes.toString('latin1').replace(PAIR, asUtf8), 'latin1');
}

function asUtf8(pair: string): string {
  const unit = (at: number): number =>
    0xd000 | ((pair.charCodeAt(at) & 0x3f) << 6) | (pair.charCodeAt(at + 1) & 0x3f);
  return Buffer.from(String.fromCharCode(unit(1), unit(4))).toString('latin1');
}
