import fc from 'fast-check';
import { countKeys, findInexactness } from './exact-json.js';
import { JsonScanner } from './json-scanner.js';
import { jsonText } from './json-text.spec-support.js';

const BOUNDS = { bytes: 1_000_000, keys: 1_000_000, depth: 3 };

function scan(body: string | Buffer, isLines = false, bounds = BOUNDS, maxValues = 1000): JsonScanner {
  const scanner = new JsonScanner(Buffer.from(body as string), isLines, bounds, maxValues);
  while (scanner.advance());
  return scanner;
}

const textsIn = (body: string, isLines = false): string[] =>
  scan(body, isLines).values.map(({ start, end }) => Buffer.from(body).toString('utf8', start, end));

/** JSON texts with an edit somewhere, which makes most of them invalid. */
const editedText = fc
  .tuple(
    jsonText,
    fc.nat(),
    fc.nat(2),
    fc.constantFrom(
      '',
      ',',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      ':',
      '0',
      '-',
      '.',
      'e',
      'u',
      't',
      '\n',
      '\t',
      '\0',
      'é',
    ),
  )
  .map(([text, place, removed, inserted]) => {
    const at = place % (text.length + 1);
    return (text.slice(0, at) + inserted + text.slice(at + removed)).toWellFormed();
  });

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('JsonScanner', () => {
  it('accepts a text if and only if JSON.parse does', () => {
    fc.assert(
      fc.property(fc.oneof(jsonText, editedText), (text) => {
        fc.pre(text.trim() !== '');
        expect([text, scan(text).syntaxError === undefined]).toEqual([text, isJson(text)]);
      }),
      { numRuns: 1500 },
    );
  });

  it('finds what findInexactness() finds, together with the number of keys that JSON.parse returns', () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        const [value] = scan(`[${text}]`).values;
        if (!value) throw new Error('No value.');
        const isExact =
          !value.isTooDeep && !value.hasInexactNumber && countKeys(JSON.parse(text)) === value.keys;
        expect([text, isExact]).toEqual([text, findInexactness(text, BOUNDS.depth) === undefined]);
      }),
      { numRuns: 1000 },
    );
  });

  it('splits an array into its elements, and a body of lines into lines, without blanks', () => {
    fc.assert(
      fc.property(fc.array(jsonText, { minLength: 1 }), (texts) => {
        const trimmed = texts.map((text) => text.trim());
        expect(textsIn(`[${texts.join(',')}]`)).toEqual(trimmed);
        // A line break within a value would end its line.
        const lines = trimmed.map((text) => text.replaceAll(/[\n\r]/g, ' '));
        expect(textsIn(lines.join('\r\n\n \n'), true)).toEqual(lines);
      }),
    );
  });

  it('finds the same in one step and in many', () => {
    // Values that lie across the ends of steps, at every offset.
    const value = String.raw`{"key":["\"\\é\u00e9",-12.5e+3,true,null,{"a":{"b":[[1]]}},1e400]}`;
    for (let padding = 0; padding < 120; padding++) {
      const body = `[${' '.repeat(16_300 + padding)}${value},${value}]`;
      const [first, second] = scan(body).values;
      if (!first || !second) throw new Error('A value is missing.');
      expect({ ...second, start: 0, end: 0, deepField: 0 }).toEqual({
        ...first,
        start: 0,
        end: 0,
        deepField: 0,
      });
      expect(first).toMatchObject({
        keys: 3,
        hasInexactNumber: true,
        isTooDeep: true,
        syntaxError: undefined,
      });
    }
  });

  it.each([
    ['', false],
    [' \n', false],
    ['[]', true],
    ['[ ]', true],
    ['\uFEFF[]', true],
  ])('finds no value in %j', (body, isMany) => {
    const { values, syntaxError, isMany: found } = scan(body);
    expect({ values, syntaxError, found }).toEqual({ values: [], syntaxError: undefined, found: isMany });
  });

  it.each([
    ['{}{}', '"{" is not expected at byte 2'],
    ['[1,]', '"]" is not expected at byte 3'],
    ['[1]]', '"]" is not expected at byte 3'],
    ['{"a":[}', '"}" is not expected at byte 6'],
    ['{"a" 1}', '"1" is not expected at byte 5'],
    ['"\t"', 'the byte 0x09 is not expected at byte 1'],
    [String.raw`"\x"`, '"x" is not expected at byte 2'],
    ['[01]', '"1" is not expected at byte 2'],
    ['nul', 'it ends too early'],
    ['{"a":"b', 'it ends too early'],
    ['['.repeat(100_000), 'it ends too early'],
  ])('says what is wrong with %.40s', (body, reason) => {
    expect(scan(body).syntaxError).toBe(`Not valid JSON: ${reason}.`);
  });

  it('says what is wrong with a line, and goes on with the next', () => {
    const { values } = scan('{"a":1}\n{"a" 1}\n\uFEFF\n{} {}\n[1\n2\n"', true);
    expect(values.map(({ syntaxError }) => syntaxError)).toEqual([
      undefined,
      'Not valid JSON: "1" is not expected at byte 5.',
      'Not valid JSON: "{" is not expected at byte 3.',
      'Not valid JSON: it ends too early.',
      undefined,
      'Not valid JSON: it ends too early.',
    ]);
  });

  it('counts the keys and bytes of each value against its bounds', () => {
    const bounds = { bytes: 20, keys: 2, depth: 9 };
    const { values } = scan(
      '[{"a":{"b":0}}, {"a":{"b":0},"c":0}, "12345678901234567890", [0]]',
      false,
      bounds,
    );
    expect(values.map(({ exceeded }) => exceeded)).toEqual([undefined, 'keys', 'bytes', undefined]);
  });

  it('names the field that is nested too deep', () => {
    const body = '{"a":[[[]]],"b":{"c":[[[0]]]},"d":1}';
    const [value] = scan(body).values;
    expect(value).toMatchObject({ isTooDeep: true, deepField: body.indexOf('"b"') });
  });

  it('stops after the values that a body may have', () => {
    for (const scanner of [
      scan(`[${'1,'.repeat(50_000)}`, false, BOUNDS, 3),
      scan('1\n'.repeat(9), true, BOUNDS, 3),
    ])
      expect([scanner.hasTooMany, scanner.values.length, scanner.syntaxError]).toEqual([true, 4, undefined]);
  });
});
