import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { countKeys, findInexactness } from './exact-json.js';
import { jsonText, literal } from './json-text.spec-support.js';

/** Generous for work that is linear in the text, on a busy machine. Quadratic work would take many minutes. */
const LINEAR_WORK_TIMEOUT_MS = 20_000;

/** Jest checks the time-out of synchronous work only after the test has returned to the event loop. */
const checkTimeout = (): Promise<void> => sleep(0);

/** The finding in one event, as `path: reason`. */
function findings(text: string, depth = Infinity): string[] {
  JSON.parse(text);
  const found = findInexactness(text, depth);
  return found ? [`${found.path.join('.')}: ${found.reason}`] : [];
}

describe('findInexactness() of a number', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '0.1234567890123456789',
    '12345678901234567890',
    '1e400',
    '-1e400',
    '-0',
    '-0.0',
    '-0e0',
    '-0E+9',
    '1e-400',
    '1E-400',
    '9007199254740993e0',
    '900719925474099.3e1',
    '1.00000000000000000001',
  ])('reports %s, which does not round-trip through a double', (number) => {
    expect(findings(`{"data":{"n":${number}}}`)).toEqual([
      `data.n: The number ${number} cannot be kept exactly; send it as a string.`,
    ]);
  });

  it.each([
    '0',
    '1.0',
    '1.50',
    '0.1',
    '1e2',
    '1E5',
    '1e+2',
    '0e9999',
    '-0.5',
    '-1e-7',
    '5e-324',
    '9007199254740991',
    '100000000000000000000',
    '1.0000000000000000000000',
    '0.3333333333333333',
    '1.7976931348623157e308',
  ])('accepts %s, which round-trips through a double', (number) => {
    expect(findings(`{"data":{"n":${number}}}`)).toEqual([]);
  });

  it('reports a number if and only if it would come back as another number', () => {
    fc.assert(
      fc.property(literal, (number) => {
        const isKept = areEqualDecimals(number, String(Number(number))) && !Object.is(Number(number), -0);
        expect(findings(`[${number}]`).length === 0).toBe(isKept);
      }),
      { numRuns: 300 },
    );
  });

  it(
    'checks a million digits in linear time',
    async () => {
      const many = '0'.repeat(1_000_000);
      expect(findings(`[0.1${many}1]`)[0]).toContain(`The number 0.1${'0'.repeat(34)}… cannot be kept`);
      expect(findings(`[1${many}1]`)).toHaveLength(1);
      expect(findings(`[0.1${many}]`)).toEqual([]);
      expect(findings(`[1e-1${many}]`)).toHaveLength(1);
      await checkTimeout();
    },
    LINEAR_WORK_TIMEOUT_MS,
  );
});

describe('findInexactness() of duplicate keys', () => {
  const duplicateKey = 'This key stands twice in one object; only one of its values could be kept.';

  it.each([
    ['at the root', '{"name":1,"name":1}', 'name'],
    ['inside', '{"data":{"form":{"a":1,"b":2,"a":3}}}', 'data.form.a'],
    ['in an object of an array', '{"data":{"list":[{},[{"a":1,"a":2}]]}}', 'data.list.1.0.a'],
    ['after a value that is an object', '{"data":{"a":{"b":[]},"a":1}}', 'data.a'],
    ['one with an escape', String.raw`{"data":{"key":1,"\u006bey":2}}`, 'data.key'],
    ['both with escapes', String.raw`{"data":{"\"":1,"\u0022":2}}`, 'data."'],
    ['named __proto__', '{"__proto__":1,"__proto__":2}', '__proto__'],
    ['empty', '{"":1,"":2}', ''],
  ])('reports the path: %s', (_, text, path) => {
    expect(findings(text)).toEqual([`${path}: ${duplicateKey}`]);
  });

  it('accepts the same key in two objects', () => {
    expect(findings('{"a":{"a":1},"b":[{"a":1},{"a":1}]}')).toEqual([]);
  });

  it('does not confuse keys with values', () => {
    expect(findings('{"a":"a","b":["a","a"],"c":"b"}')).toEqual([]);
  });
});

describe('findInexactness() of a string', () => {
  it.each([
    ['numbers', '9007199254740993 1e400'],
    ['quotes', 'he said "9007199254740993"'],
    ['backslashes', '\\'],
    ['backslashes and quotes', '\\\\"\\"1e400\\'],
    ['braces and commas', '{"a":1,"a":1}],[{'],
  ])('ignores %s inside it', (_, text) => {
    expect(findings(JSON.stringify({ [text]: text, other: [text, text] }), 2)).toEqual([]);
  });
});

describe('The path of a finding', () => {
  it.each([
    ['{"data":[{},"a",[],"b",1e400]}', ['data', 4]],
    ['{"data":{"a":{},"b":[[],{"c":[0,1e400]}]}}', ['data', 'b', 1, 'c', 1]],
    ['{"data":{"a.b":{"":1e400}}}', ['data', 'a.b', '']],
  ])('leads to the number: %s', (text, path) => {
    expect(findInexactness(text, 100)?.path).toEqual(path);
  });
});

describe('findInexactness() of nested values', () => {
  const nested = (levels: number) => `{"data":${'['.repeat(levels)}${']'.repeat(levels)}}`;

  it('accepts as many levels as the limit, counted from the payload', () => {
    expect(findings(nested(3), 3)).toEqual([]);
  });

  it('reports the field that is nested deeper than the limit', () => {
    expect(findings(nested(4), 3)).toEqual(['data: Nested more than 3 levels deep.']);
  });

  it.each([
    ['arrays', '['.repeat(1_000_000) + ']'.repeat(1_000_000)],
    ['objects', '{"a":'.repeat(1_000_000) + '1' + '}'.repeat(1_000_000)],
  ])(
    'reports a million nested %s in linear time',
    async (_, text) => {
      expect(findInexactness(`{"data":${text}}`, 100)?.path).toEqual(['data']);
      await checkTimeout();
    },
    LINEAR_WORK_TIMEOUT_MS,
  );
});

describe('findInexactness() of any JSON', () => {
  it('reports nothing in the output of JSON.stringify', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), fc.constantFrom('', 1, '\t\n'), (value, indent) => {
        expect(findings(JSON.stringify(value, null, indent))).toEqual([]);
      }),
    );
  });

  it('searches every text that JSON.parse accepts to its end', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        fc.pre(findInexactness(text, 100) === undefined);
        expect(findInexactness(`[${text},1e400]`, 100)?.path).toEqual([1]);
      }),
      { numRuns: 300 },
    );
  });
});

describe('countKeys()', () => {
  it('counts the keys of all objects, whatever their names are', () => {
    expect(countKeys(JSON.parse('{"__proto__":1,"a":[{"":{}},{"1":null}],"toString":"b"}'))).toBe(5);
    for (const value of [1, null, 'text', [], {}]) expect(countKeys(value)).toBe(0);
  });
});

/** True if two decimal texts represent the same number. Computes with integers of any length. */
function areEqualDecimals(one: string, other: string): boolean {
  if (other.endsWith('Infinity')) return false;
  const [a, b] = [scaled(one), scaled(other)];
  const exponent = Math.min(a.exponent, b.exponent);
  const [x, y] = [a, b].map(({ digits, exponent: own }) => digits * 10n ** BigInt(own - exponent));
  return x === y;
}

function scaled(text: string): { digits: bigint; exponent: number } {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  return { digits: BigInt(whole + fraction), exponent: Number(exponent) - fraction.length };
}
