import { setTimeout as sleep } from 'node:timers/promises';
import { FORMATS, hasFormat } from './formats.js';
import { compiled } from './payload-schema.spec-support.js';
import { SchemaError } from './schema-compiler.js';
import { compilePattern } from './patterns.js';

/** The errors of a schema; none if it is accepted. */
function errorsOf(schema: unknown): Record<string, string[]> {
  try {
    compiled(schema);
    return {};
  } catch (error) {
    if (error instanceof SchemaError) return { ...error.errors };
    throw error;
  }
}

/** Generous for work that is linear in its input, on a busy machine. Other work would take minutes. */
const LINEAR_WORK_TIMEOUT_MS = 10_000;

/** Jest checks the time-out of synchronous work only after the test has returned to the event loop. */
const checkTimeout = (): Promise<void> => sleep(0);

const nested = (levels: number): object =>
  levels === 0 ? { type: 'string' } : { properties: { a: nested(levels - 1) } };

describe('A schema', () => {
  it.each<[string, object]>([
    ['without keywords', {}],
    [
      'with its dialect and an identifier',
      { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: 'https://example.com/a' },
    ],
    ['with required and no properties', { required: ['a'] }],
    ['with two types', { properties: { a: { type: ['string', 'null'] } } }],
    [
      'with a reference to its own part',
      {
        $defs: { a: { type: 'string' } },
        properties: { a: { $ref: '#/$defs/a' }, b: { $ref: '#/$defs/a' } },
      },
    ],
    [
      'with a reference to an anchor',
      { $defs: { a: { $anchor: 'text', type: 'string' } }, properties: { a: { $ref: '#text' } } },
    ],
    [
      'with escapes in a reference',
      { $defs: { 'a/b c': { type: 'string' } }, properties: { a: { $ref: '#/$defs/a~1b%20c' } } },
    ],
    [
      'with annotations',
      { title: 'T', description: 'D', default: {}, examples: [{}], $comment: 'C', deprecated: true },
    ],
    [
      'with keywords that draft 2020-12 introduced',
      { prefixItems: [{}], unevaluatedProperties: false, dependentRequired: { a: ['b'] } },
    ],
    [
      'with properties named like keywords of other dialects',
      { properties: { colour: {}, nullable: {}, toString: {} } },
    ],
    [
      'with 200 properties of several types',
      {
        properties: Object.fromEntries(
          Array.from({ length: 200 }, (_, index) => [
            `p${index}`,
            [
              { enum: ['a', 'b'] },
              { type: 'string', pattern: '^[a-z]+$', maxLength: 100 },
              { type: ['integer', 'null'], minimum: 0 },
              { type: 'array', items: { properties: { id: { type: 'string', format: 'uuid' } } } },
            ][index % 4],
          ]),
        ),
      },
    ],
    ['50 schemas deep', nested(49)],
  ])('%s is accepted', (_, schema) => {
    expect(errorsOf(schema)).toEqual({});
  });

  it.each<[string, unknown, string, RegExp]>([
    ['that is not an object', true, 'schema', /JSON object/],
    ['that is an array', [], 'schema', /JSON object/],
    [
      'with an unknown keyword',
      { properties: { a: { typ: 'string' } } },
      'schema.properties.a.typ',
      /Unknown keyword/,
    ],
    ['with a keyword of another dialect', { nullable: true }, 'schema.nullable', /Unknown keyword/],
    ['that is asynchronous', { $async: true }, 'schema.$async', /Unknown keyword/],
    [
      'with an unknown type',
      { properties: { a: { type: 'text' } } },
      'schema.properties.a.type',
      /allowed values/,
    ],
    [
      'with a broken value',
      { properties: { a: { minLength: -1 } } },
      'schema.properties.a.minLength',
      />= 0/,
    ],
    ['whose properties are an array', { properties: [] }, 'schema.properties', /object/],
    ['of another draft', { $schema: 'http://json-schema.org/draft-07/schema#' }, 'schema.$schema', /2020-12/],
    [
      'of an address that nobody has given to the draft',
      { $schema: 'http://json-schema.org/draft/2020-12/schema' },
      'schema.$schema',
      /2020-12/,
    ],
    [
      'with an anchor that every object has',
      { $dynamicAnchor: '__proto__', properties: { a: { $dynamicRef: '#__proto__' } } },
      'schema.$dynamicAnchor',
      /cannot be used/,
    ],
    [
      'whose references repeat long names',
      {
        $defs: { a: { properties: { ['x'.repeat(30_000)]: { type: 'string' } } } },
        prefixItems: Array.from({ length: 200 }, () => ({ $ref: '#/$defs/a' })),
      },
      'schema',
      /its code has .* characters/,
    ],
    ['with $id inside', { properties: { a: { $id: 'b' } } }, 'schema.properties.a.$id', /only at the top/],
    ['with a reference to another document', { $ref: 'https://example.com/s' }, 'schema.$ref', /elsewhere/],
    ['with a reference to a file', { $ref: 'other.json#/a' }, 'schema.$ref', /elsewhere/],
    ['with a reference to nothing', { $ref: '#/$defs/a' }, 'schema.$ref', /no schema/],
    [
      'with a reference to something that is not a schema',
      { properties: { a: { $ref: '#/properties' } } },
      'schema.properties.a.$ref',
      /no schema/,
    ],
    [
      'that contains itself',
      { properties: { child: { $ref: '#' } } },
      'schema.properties.child.$ref',
      /recursive/,
    ],
    [
      'that contains itself dynamically',
      { $dynamicAnchor: 'n', properties: { c: { $dynamicRef: '#n' } } },
      'schema.properties.c.$dynamicRef',
      /recursive/,
    ],
    [
      'with recursion in unused definitions',
      { $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } } },
      'schema.$defs.b.$ref',
      /recursive/,
    ],
    [
      'with the same anchor twice',
      { $defs: { a: { $anchor: 'x' }, b: { $anchor: 'x' } } },
      'schema.$defs.b.$anchor',
      /twice/,
    ],
    [
      'with look-ahead',
      { properties: { a: { pattern: '(?=x)y' } } },
      'schema.properties.a.pattern',
      /RE2.*\(\?=/,
    ],
    [
      'with a back-reference',
      { properties: { a: { pattern: '(a)\\1' } } },
      'schema.properties.a.pattern',
      /RE2.*\\1/,
    ],
    ['with a broken pattern', { patternProperties: { '(': {} } }, 'schema.patternProperties.(', /RE2/],
    [
      'with a huge pattern',
      { properties: { a: { pattern: '(a?){900}' } } },
      'schema.properties.a.pattern',
      /too large/,
    ],
    [
      'with an unknown format',
      { properties: { a: { format: 'phone' } } },
      'schema.properties.a.format',
      /one of date,/,
    ],
    [
      'with a format that would compile a pattern of an event',
      { properties: { a: { format: 'regex' } } },
      'schema.properties.a.format',
      /one of/,
    ],
    [
      'with __proto__',
      JSON.parse('{"properties":{"__proto__":{"type":"string"}}}'),
      'schema.properties.__proto__',
      /described/,
    ],
    ['51 schemas deep', nested(50), `schema${'.properties.a'.repeat(50)}`, /deep/],
    ['of more than 64 KiB', { description: 'x'.repeat(65_536) }, 'schema', /65536 bytes/],
    [
      'with too many keywords',
      { allOf: Array.from({ length: 2500 }, () => ({ minLength: 1 })) },
      'schema',
      /2,000 are allowed/,
    ],
    [
      'with patterns that together cost too much',
      { allOf: Array.from({ length: 40 }, () => ({ pattern: '^[a-z]{50}' })) },
      'schema',
      /patterns.*2,000 are allowed/,
    ],
  ])('%s is rejected', (_, schema, path, message) => {
    const errors = errorsOf(schema);
    expect(Object.keys(errors)).toEqual([path]);
    expect(errors[path]).toContainEqual(expect.stringMatching(message));
  });

  it('has at most 20 paths with errors', () => {
    const typos = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`typo${index}`, index]));
    expect(Object.keys(errorsOf(typos))).toHaveLength(20);
  });

  it(
    'is rejected within the time-out when its references expand to billions of schemas',
    async () => {
      const laughs = Object.fromEntries(
        Array.from({ length: 40 }, (_, index) => [
          `l${index}`,
          index === 0
            ? { type: 'string' }
            : { allOf: [{ $ref: `#/$defs/l${index - 1}` }, { $ref: `#/$defs/l${index - 1}` }] },
        ]),
      );
      expect(errorsOf({ $defs: laughs, $ref: '#/$defs/l39' })).toEqual({
        schema: [expect.stringMatching(/2,000 are allowed/)],
      });
      await checkTimeout();
    },
    LINEAR_WORK_TIMEOUT_MS,
  );

  it.each<[string, object]>([
    ['allOf', { allOf: Array.from({ length: 900 }, () => ({ type: 'object' })) }],
    [
      'properties',
      {
        properties: Object.fromEntries(
          Array.from({ length: 900 }, (_, index) => [`p${index}`, { type: 'string' }]),
        ),
      },
    ],
    [
      'oneOf',
      { oneOf: Array.from({ length: 400 }, (_, index) => ({ properties: { a: { const: index } } })) },
    ],
  ])(
    'at the limit of cost compiles within the time-out or is rejected: %s',
    async (_, schema) => {
      const errors = errorsOf(schema);
      if (Object.keys(errors).length > 0)
        expect(errors['schema']).toEqual([expect.stringMatching(/allowed|compiled/)]);
      await checkTimeout();
    },
    LINEAR_WORK_TIMEOUT_MS,
  );
});

describe('A pattern', () => {
  it.each(['(a+)+$', '(a|a)*b', '^(a|aa)+$', '([a-z]+)*\\d', '(.*)*x'])(
    '%s matches in time linear in the text',
    async (source) => {
      compilePattern(source).test(`${'a'.repeat(65_536)}!`);
      await checkTimeout();
    },
    LINEAR_WORK_TIMEOUT_MS,
  );

  it('matches like a JavaScript pattern', () => {
    expect(compilePattern('^\\p{Lu}\\d{2,3}$').test('Ä12')).toBe(true);
    expect(compilePattern('b').test('abc')).toBe(true);
    expect(compilePattern('^b').test('abc')).toBe(false);
    expect(compilePattern('^.$').test('\u{1F600}')).toBe(true);
    expect(compilePattern('(?<year>\\d{4})').test('in 2021')).toBe(true);
  });
});

describe('A format', () => {
  const length = 64 * 1024;
  it.each(FORMATS)(
    '%s is checked in time linear in the text',
    async (format) => {
      for (const text of [
        'a',
        '1',
        '0',
        'a.',
        'a-',
        '.',
        ':',
        '/',
        '1:',
        'a@',
        '~0',
        'P1',
        '1Y',
        '%',
        '\\',
        '[',
        ' ',
        '2021-01-01T00:00:00.',
        'a@a.',
        'a://',
      ])
        for (const end of ['', '!', '\n', '\0'])
          hasFormat(format as 'uuid', text.repeat(length / text.length) + end);
      await checkTimeout();
    },
    LINEAR_WORK_TIMEOUT_MS,
  );
});
