import fc from 'fast-check';
import { parseEscapedKeys } from './json-parse.js';

/** Keys that are mistaken for one another, and what they are mistaken for. */
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

describe('JSON', () => {
  it('is parsed with the very keys, in their order', () => {
    // What JSON.stringify writes tells the keys that an object has; it is right everywhere.
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(parseEscapedKeys(text), null, indent)).toBe(text);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['{"\\u0061":1,"b":2}', '{"a":1,"b":2}'],
    ['{"\\"":1,"\\"":2,"a":3}', '{"\\"":2,"a":3}'],
    ['{"a":1,"\\u0061" :2}', '{"a":2}'],
    ['{"\\u005f_proto__":{"x":1}}', '{"__proto__":{"x":1}}'],
    ['[{"\\n"\n:"\\n"},"\\"",{"\\ud834\\udd1e":[]}]', '[{"\\n":"\\n"},"\\"",{"𝄞":[]}]'],
    ['"\\n"', '"\\n"'],
  ])('reads %s as %s', (text, same) => {
    expect(JSON.stringify(parseEscapedKeys(text))).toBe(same);
  });

  it('is parsed however deep it is', () => {
    const deep = 200_000;
    let value = parseEscapedKeys(`${'{"\\n":'.repeat(deep)}1${'}'.repeat(deep)}`);
    for (let level = 0; level < deep; level++) value = (value as Record<string, unknown>)['\n'];
    expect(value).toBe(1);
  });

  it.each(['{"\\n":1', '{"\\n":01}', '{"\\x":1}', ''])(
    'that is none is refused as by JSON.parse: %s',
    (text) => {
      expect(() => parseEscapedKeys(text)).toThrow(SyntaxError);
    },
  );
});
