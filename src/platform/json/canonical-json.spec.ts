import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { anyCharacter } from './any-character.spec-support.js';
import { canonicalJson, growthOfNumbers, NotStorableError } from './canonical-json.js';

const MAX_LEVELS = 1000;

/** Keys that engines reorder, that prototypes define, or that sort differently by code points. */
const unusualKey = fc.constantFrom(
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
const unusualNumber = fc.constantFrom(-0, 1e21, 1e20, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e-7);

/** Any storable text, including control characters. */
const text = fc.string({ unit: anyCharacter }).map((characters) => characters.replaceAll('\0', ''));

const { value: json } = fc.letrec<{ value: fc.JsonValue; object: Record<string, fc.JsonValue> }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ stringUnit: 'grapheme' }),
    text,
    unusualNumber,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(unusualKey, text), tie('value'), { maxKeys: 6 }),
}));

const notStorable = fc.constantFrom('\0', 'a\0b', '\uD800', 'a\uDC00', '\uDC00\uD800', '\uD83D\uD83D\uDE00');
const steps = fc.array(fc.oneof(unusualKey, fc.string(), fc.nat({ max: 3 })), { maxLength: 8 });

/** Wraps `inner` in objects and arrays so that it is found at `path`. */
function nest(inner: unknown, path: readonly (string | number)[]): unknown {
  return path.reduceRight((value, step) => {
    if (typeof step === 'number') return [...new Array<string>(step).fill('neighbour'), value];
    return Object.fromEntries([[step, value]]);
  }, inner);
}

function withReversedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withReversedKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, field]) => [key, withReversedKeys(field)]),
  );
}

function errorOf(value: unknown, levels = MAX_LEVELS): NotStorableError {
  try {
    canonicalJson(value, levels);
  } catch (error) {
    if (error instanceof NotStorableError) return error;
    throw error;
  }
  throw new Error('No error was thrown.');
}

describe('canonicalJson()', () => {
  it('gives the result of the example in RFC 8785, section 3.2.2', () => {
    const value: unknown = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson(value, MAX_LEVELS)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts keys by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
    const sorted = ['\r', '1', '\x80', 'ö', '€', '\u{1F600}', '\uFB33'];
    const value = Object.fromEntries([...sorted].reverse().map((key) => [key, 0]));
    expect(canonicalJson(value, MAX_LEVELS)).toBe(
      `{${sorted.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`,
    );
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
  ])('formats %p as %s', (value, text) => {
    expect(canonicalJson(value, MAX_LEVELS)).toBe(text);
  });

  it('escapes the same characters as JSON.stringify', () => {
    for (let unit = 1; unit < 0x10000; unit++) {
      const character = String.fromCharCode(unit);
      if (character.isWellFormed() && canonicalJson(character) !== JSON.stringify(character)) {
        throw new Error(`U+${unit.toString(16)} is formatted as ${canonicalJson(character)}.`);
      }
    }
  });

  it('gives the same text as another implementation of RFC 8785', () => {
    fc.assert(fc.property(json, (value) => canonicalJson(value, MAX_LEVELS) === canonicalize(value)));
  });

  it('gives the same text for any order of keys', () => {
    fc.assert(
      fc.property(
        json,
        (value) => canonicalJson(withReversedKeys(value), MAX_LEVELS) === canonicalJson(value, MAX_LEVELS),
      ),
    );
  });
});

describe('canonicalJson() of a value that is not storable', () => {
  it('reports the path of a text with U+0000 or a lone surrogate', () => {
    fc.assert(
      fc.property(steps, notStorable, (path, text) => {
        expect(errorOf(nest(text, path)).path).toEqual(path);
      }),
    );
  });

  it('reports the path of a key with U+0000 or a lone surrogate', () => {
    fc.assert(
      fc.property(steps, notStorable, (path, key) => {
        expect(errorOf(nest({ [key]: 1 }, path)).path).toEqual([...path, key]);
      }),
    );
  });

  it('gives the reason: U+0000 or a surrogate', () => {
    expect(errorOf('\0').reason).toContain('U+0000');
    expect(errorOf('\uD800').reason).toContain('surrogate');
  });

  it('accepts a complete surrogate pair', () => {
    expect(canonicalJson('\u{1F600}', MAX_LEVELS)).toBe('"\u{1F600}"');
  });
});

describe('canonicalJson() of a nested value', () => {
  const levels = fc.array(fc.constantFrom('key', 0), { minLength: 1, maxLength: 60 });

  it('accepts as many levels as the limit', () => {
    fc.assert(fc.property(levels, (path) => canonicalJson(nest(1, path), path.length).length > 0));
  });

  it('rejects one level more than the limit', () => {
    fc.assert(
      fc.property(levels, (path) => errorOf(nest(1, path), path.length - 1).reason === 'Nested too deep.'),
    );
  });
});

describe('growthOfNumbers()', () => {
  const growthIn = (value: unknown): number => growthOfNumbers(value, canonicalJson(value));

  it.each([
    ['1e+21', '1000000000000000000000'],
    ['-1.5e+300', `-15${'0'.repeat(299)}`],
    ['1e-7', '0.0000001'],
    ['-1.25e-10', '-0.000000000125'],
    ['5e-324', `0.${'0'.repeat(323)}5`],
    ['1.7976931348623157e+308', `17976931348623157${'0'.repeat(292)}`],
  ])('is how much longer the number is when it is written out: %s', (number, writtenOut) => {
    const growth = writtenOut.length - number.length;
    expect(growthIn(JSON.parse(number))).toBe(growth);
    expect(growthIn(JSON.parse(`{"a":[${number},1,${number}]}`))).toBe(2 * growth);
  });

  it('counts what looks like a number in a text or a key as it is', () => {
    const value = { '1e+300': ['1e+300', '"1e+300', '\\', 2.5e-9, '\\"1e-300'] };
    expect(growthIn(value)).toBe('0.0000000025'.length - '2.5e-9'.length);
  });

  it('is zero for numbers without exponent', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e20, noNaN: true }), (number) =>
        expect(growthIn([number, -number])).toBe(0),
      ),
    );
  });

  it('is that of any small number as toFixed() writes it', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-80, max: 9e-7, noNaN: true }), (number) => {
        const text = canonicalJson(number);
        const [, fraction = '', exponent] = /^\d(?:\.(\d+))?e-(\d+)$/.exec(text) ?? [];
        const writtenOut = number.toFixed(Number(exponent) + fraction.length);
        expect(growthIn(number)).toBe(writtenOut.length - text.length);
      }),
    );
  });
});
