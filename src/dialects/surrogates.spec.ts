import { toUtf8 } from './surrogates.js';

/** The bytes of a text as CESU-8 writes it: each surrogate on its own. */
function cesu8(text: string): Buffer {
  const units = text.split('').map((unit) => {
    const code = unit.charCodeAt(0);
    return code >= 0xd800 && code <= 0xdfff
      ? Buffer.from([0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
      : Buffer.from(unit);
  });
  return Buffer.concat(units);
}

describe('toUtf8', () => {
  it.each(['🎉', 'Grüße 🎉🏳️‍🌈 e', '\u{10000}\u{10ffff}', 'plain'])(
    'writes the CESU-8 of %s as UTF-8',
    (text) => {
      expect(toUtf8(cesu8(text)).toString()).toBe(text);
    },
  );

  it.each([
    ['a lone surrogate', [0xed, 0xa0, 0xbc]],
    ['a pair in the wrong order', [0xed, 0xb0, 0x80, 0xed, 0xa0, 0x80]],
    ['Latin-1', [0x47, 0xfc]],
  ])('leaves %s as it is', (_, bytes) => {
    expect([...toUtf8(Buffer.from(bytes))]).toEqual(bytes);
  });
});
