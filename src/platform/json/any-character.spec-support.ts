import fc from 'fast-check';

/**
 * Any character, for `fc.string({ unit: anyCharacter })`. fast-check's own unit `binary` is the same, and makes a table of all million
 * characters, which takes most of a second in each spec file.
 */
export const anyCharacter = fc
  // Without the halves of surrogate pairs.
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((codePoint) => String.fromCodePoint(codePoint));
