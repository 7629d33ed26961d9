import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { canonicalJson, NotStorableError } from './canonical-json.js';

const DEEP = 1000;

/** Keys that engines order by themselves, that prototypes know, or that sort differently by code points. */
const hostileKey = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '',
  '10',
  '9',
  '-1',
  'a.b',
  '"',
  '\u{1F600}',
  '\uFB33',
);
const hostileNumber = fc.constantFrom(-0, 1e21, 1e20, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e-7);

/** Any characters that can be kept, control characters among them. */
const text = fc.string({ unit: 'binary' }).map((characters) => characters.replaceAll('\0', ''));

const { value: json } = fc.letrec<{ value: fc.JsonValue; object: Record<string, fc.JsonValue> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ stringUnit: 'grapheme' }),
    text,
    hostileNumber,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(hostileKey, text), tie('value'), { maxKeys: 6 }),
}));

const notStorable = fc.constantFrom('\0', 'a\0b', '\uD800', 'a\uDC00', '\uDC00\uD800', '\uD83D\uD83D\uDE00');
const steps = fc.array(fc.oneof(hostileKey, fc.string(), fc.nat({ max: 3 })), { maxLength: 8 });

/** A value that has `inner` at the end of `path`, and harmless neighbours on the way. */
function around(inner: unknown, path: readonly (string | number)[]): unknown {
  return path.reduceRight((value, step) => {
    if (typeof step === 'number') return [...new Array<string>(step).fill('neighbour'), value];
    return Object.fromEntries([[step, value]]);
  }, inner);
}

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, backwards(field)]),
  );
}

function refusal(value: unknown, levels = DEEP): NotStorableError {
  try {
    canonicalJson(value, levels);
  } catch (error) {
    if (error instanceof NotStorableError) return error;
    throw error;
  }
  throw new Error('It was kept.');
}

describe('the canonical text of JSON', () => {
  it('is that of RFC 8785, section 3.2.2', () => {
    const value: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(value, DEEP)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts keys by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
    const sorted = ['\r', '1', '\x80', 'ö', '€', '\u{1F600}', '\uFB33'];
    const value = Object.fromEntries([...sorted].reverse().map((key) => [key, 0]));
    expect(canonicalJson(value, DEEP)).toBe(`{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`);
  });

  it.each([
    [-0, '0'],
    [1e21, '1e+21'],
    [1e20, '100000000000000000000'],
    [5e-324, '5e-324'],
    [JSON.parse('{"__proto__":1,"a":2}'), '{"__proto__":1,"a":2}'],
    [{ 9: 0, 10: 0, '-1': 0 }, '{"-1":0,"10":0,"9":0}'],
    [{}, '{}'],
    [[], '[]'],
  ])('of %p is %s', (value, text) => {
    expect(canonicalJson(value, DEEP)).toBe(text);
  });

  it('escapes what ECMAScript escapes, and nothing else', () => {
    for (let unit = 1; unit < 0x10000; unit++) {
      const character = String.fromCharCode(unit);
      if (character.isWellFormed() && canonicalJson(character) !== JSON.stringify(character)) {
        throw new Error(`U+${unit.toString(16)} is spelt ${canonicalJson(character)}.`);
      }
    }
  });

  it('is what another implementation of RFC 8785 makes of it', () => {
    fc.assert(fc.property(json, (value) => canonicalJson(value, DEEP) === canonicalize(value)));
  });

  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(json, (value) => canonicalJson(backwards(value), DEEP) === canonicalJson(value, DEEP)),
    );
  });
});

describe('what cannot be kept', () => {
  it('is a text with U+0000 or half of a surrogate pair, named by its path', () => {
    fc.assert(
      fc.property(steps, notStorable, (path, text) => {
        expect(refusal(around(text, path)).path).toEqual(path);
      }),
    );
  });

  it('is a key with one of them, too', () => {
    fc.assert(
      fc.property(steps, notStorable, (path, key) => {
        expect(refusal(around({ [key]: 1 }, path)).path).toEqual([...path, key]);
      }),
    );
  });

  it('is told apart in the reason', () => {
    expect(refusal('\0').reason).toContain('U+0000');
    expect(refusal('\uD800').reason).toContain('surrogate');
  });

  it('is not a whole surrogate pair', () => {
    expect(canonicalJson('\u{1F600}', DEEP)).toBe('"\u{1F600}"');
  });
});

describe('nesting', () => {
  const levels = fc.array(fc.constantFrom('key', 0), { minLength: 1, maxLength: 60 });

  it('is kept up to the limit', () => {
    fc.assert(fc.property(levels, (path) => canonicalJson(around(1, path), path.length).length > 0));
  });

  it('is refused one level over the limit', () => {
    fc.assert(
      fc.property(levels, (path) => refusal(around(1, path), path.length - 1).reason === 'Nested too deep.'),
    );
  });
});
