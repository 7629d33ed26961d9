import fc from 'fast-check';
import { parseEscapedKeys } from './json-parse.js';

/** Keys that the bug confuses with one another, and other unusual keys. */
const key = fc.oneof(
  fc.constantFrom(
    '"',
    '\\',
    '\n',
    '\b',
    '\\n',
    '\\"',
    'C:\\dir',
    'C:\\\\di',
    '/',
    '__proto__',
    '1',
    '\uE000',
    '\uE0000',
  ),
  fc.string({ unit: 'grapheme' }),
);
const { value: json } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 1.5, 'text', '"\\": ', 'a:b'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(fc.tuple(key, tie('value')), { maxLength: 5 }).map((entries) => Object.fromEntries(entries)),
  ),
}));

describe('parseEscapedKeys()', () => {
  it('returns the original keys in their original order', () => {
    // JSON.stringify shows the actual keys of an object; the bug does not affect it.
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(parseEscapedKeys(text), null, indent)).toBe(text);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['{"\\u0061":1,"b":2}', '{"a":1,"b":2}'],
    ['{"\\"":1,"\\"":2,"a":3}', '{"\\"":2,"a":3}'],
    ['{"a":1,"\\u0061" :2}', '{"a":2}'],
    ['{"\\u005f_proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
    ['[{"\\n"\n:"\\n"},"\\"",{"\\ud834\\udd1e":[]}]', '[{"\\n":"\\n"},"\\"",{"𝄞":[]}]'],
    ['"\\n"', '"\\n"'],
  ])('parses %s as %s', (text, same) => {
    expect(JSON.stringify(parseEscapedKeys(text))).toBe(same);
  });

  it('parses 200,000 nested objects', () => {
    const levels = 200_000;
    let value = parseEscapedKeys(`${'{"\\n":'.repeat(levels)}1${'}'.repeat(levels)}`);
    for (let level = 0; level < levels; level++) value = (value as Record<string, unknown>)['\n'];
    expect(value).toBe(1);
  });

  it.each(['{"\\n":1', '{"\\n":01}', '{"\\x":1}', ''])(
    'rejects invalid JSON with a SyntaxError, as JSON.parse does: %s',
    (text) => {
      expect(() => parseEscapedKeys(text)).toThrow(SyntaxError);
    },
  );
});
