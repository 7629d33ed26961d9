import { jest } from '@jest/globals';
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

  it('does not make a text of each pair, of which a large body may consist', () => {
    const body = cesu8('😀'.repeat(200_000));
    const toText = jest.spyOn(Buffer.prototype, 'toString');
    expect(toUtf8(body).equals(Buffer.from('😀'.repeat(200_000)))).toBe(true);
    expect(toText).not.toHaveBeenCalled();
    toText.mockRestore();
  });

  it('leaves pairs beside other invalid bytes valid', () => {
    expect(toUtf8(Buffer.concat([Buffer.from([0xed]), cesu8('🎉'), Buffer.from([0xff, 0xed])]))).toEqual(
      Buffer.concat([Buffer.from([0xed]), Buffer.from('🎉'), Buffer.from([0xff, 0xed])]),
    );
  });

  it.each([
    ['a lone surrogate', [0xed, 0xa0, 0xbc]],
    ['a pair in the wrong order', [0xed, 0xb0, 0x80, 0xed, 0xa0, 0x80]],
    ['Latin-1', [0x47, 0xfc]],
  ])('leaves %s as it is', (_, bytes) => {
    expect([...toUtf8(Buffer.from(bytes))]).toEqual(bytes);
  });
});
