import fc from 'fast-check';
import type { Schema } from './document.js';
import { anyInstant, PECULIAR_NAMES, nearlyNow, peculiarText, usualInstant, usualText } from './texts.js';

/** Marks a piece of JSON text for verbatim output, for JSON that JSON.stringify cannot produce. */
const verbatim = (text: string): string => `\u0001${text}\u0001`;

/** Numbers that JSON.parse or PostgreSQL changes silently. The Eye must refuse events that contain them. */
export const INEXACT_NUMBERS = [
  '-0',
  '-0.0',
  '-0e5',
  '1e400',
  '-1e400',
  '9007199254740993',
  '0.1000000000000000055511151231257827',
  '1e-400',
];

/** Objects that JSON.parse changes silently. */
export const INEXACT_OBJECTS = [
  '{"twice":1,"twice":2}',
  '{"a":1,"\\u0061":1}',
  '{"__proto__":1,"__proto__":2}',
];

const VERBATIM_JSON = [
  ...INEXACT_NUMBERS,
  ...INEXACT_OBJECTS,
  '1E+2',
  '01',
  'NaN',
  'undefined',
  "'a'",
  '"\\uD800"',
  '"\\u0000"',
  '"\t"',
  '"\\x41"',
  '[1,]',
  '{"__proto__":{"polluted":true}}',
  '/* comment */ 1',
  '['.repeat(100) + ']'.repeat(100),
  '['.repeat(5000) + ']'.repeat(5000),
  '{"a":'.repeat(99) + '1' + '}'.repeat(99),
  '{"a":'.repeat(100) + '1' + '}'.repeat(100),
  '1'.repeat(400),
];

/** Serializes a value as JSON, with its verbatim pieces unchanged. */
export function stringify(value: unknown): string {
  const text = JSON.stringify(value) ?? '';
  return text.replace(
    /"\\u0001((?:[^"\\]|\\(?!u0001).)*)\\u0001"/g,
    (_, piece: string) => JSON.parse(`"${piece}"`) as string,
  );
}

/** Any JSON that survives a round trip, with any keys. */
export const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })),
    usualText(),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.oneof(usualText(), fc.constantFrom(...PECULIAR_NAMES)), tie('value'), {
    maxKeys: 4,
  }),
}));

/** Any JSON, invalid JSON, and JSON that cannot be stored. */
export const peculiarJson: fc.Arbitrary<unknown> = fc.oneof(
  anyJson.value,
  peculiarText,
  fc.constantFrom(...VERBATIM_JSON.map(verbatim)),
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e300, [], {}, [null], [[]]),
  fc.array(peculiarText, { maxLength: 3 }),
  fc.dictionary(peculiarText, peculiarText, { maxKeys: 3 }),
);

const TYPES = ['string', 'number', 'integer', 'boolean', 'null', 'array', 'object', 'thing'];

/** Schemas of payloads: valid ones, and ones that must not be compiled. */
const jsonSchema = fc.letrec<{ schema: unknown }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.boolean(),
    fc
      .record(
        {
          type: fc.oneof(fc.constantFrom(...TYPES), fc.subarray(TYPES, { minLength: 1 })),
          enum: fc.array(anyJson.value, { maxLength: 3 }),
          const: anyJson.value,
          minimum: fc.integer(),
          multipleOf: fc.constantFrom(1, 0.01, 0, -1, 5e-324),
          minLength: fc.integer({ min: -1, max: 5 }),
          pattern: fc.constantFrom(
            '^a',
            '(a+)+$',
            '(?=a)',
            '\\1',
            '[',
            '\\p{L}',
            'a{1000}',
            '(a{100}){100}',
            '',
          ),
          format: fc.constantFrom('date-time', 'uuid', 'email', 'regex', '__proto__', 'nothing'),
          uniqueItems: fc.boolean(),
          maxItems: fc.constantFrom(0, 1, 1000, 1001),
          required: fc.array(fc.oneof(usualText(), fc.constantFrom(...PECULIAR_NAMES)), { maxLength: 3 }),
          $ref: fc.constantFrom('#', '#/$defs/a', 'http://example.com/', '#/properties/__proto__', '%', ''),
          $id: fc.constantFrom('a', '#', 'http://example.com/'),
          $schema: fc.constantFrom(
            'https://json-schema.org/draft/2020-12/schema',
            'http://json-schema.org/draft-07/schema#',
          ),
          items: tie('schema'),
          not: tie('schema'),
          additionalProperties: tie('schema'),
          anyOf: fc.array(tie('schema'), { maxLength: 3 }),
          properties: fc.dictionary(
            fc.oneof(usualText(), fc.constantFrom(...PECULIAR_NAMES)),
            tie('schema'),
            {
              maxKeys: 3,
            },
          ),
          $defs: fc.dictionary(fc.constantFrom('a', '__proto__'), tie('schema'), { maxKeys: 2 }),
          unknown: fc.constant(1),
        },
        { requiredKeys: [] },
      )
      .map((schema) => Object.fromEntries(Object.entries(schema).slice(0, 3))),
  ),
})).schema;

const isBound = (example: unknown): boolean =>
  typeof example === 'string' && /^\d{4}-\d\d-\d\d/.test(example);

/** Generates values that a schema allows. */
export function valid(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  const { type, format, items, properties, example } = schema;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.oneOf) return fc.oneof(...schema.oneOf.map((one) => valid(one, name)));
  const usual = ((): fc.Arbitrary<unknown> => {
    switch (type) {
      case 'integer':
      case 'number':
        return number(schema);
      case 'boolean':
        return fc.boolean();
      case 'array':
        return fc.array(valid(items ?? {}), { maxLength: Math.min(schema.maxItems ?? 5, 5) });
      case 'object':
        if (properties)
          return fc.record(
            Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, valid(each, key)])),
            { requiredKeys: schema.required ?? [] },
          );
        return name === 'schema' ? jsonSchema : anyJson.object;
      case undefined:
      default:
        if (format === 'uuid') return fc.uuid();
        if (format === 'date-time') return fc.oneof({ arbitrary: usualInstant, weight: 9 }, nearlyNow);
        if (isBound(example))
          return fc.oneof(
            usualInstant,
            usualInstant.map((text) => text.slice(0, 10)),
          );
        if (schema.pattern !== undefined) return fc.stringMatching(new RegExp(schema.pattern));
        return usualText(schema.minLength, schema.maxLength);
    }
  })();
  return example === undefined || properties
    ? usual
    : fc.oneof({ arbitrary: usual, weight: 3 }, fc.constant(example));
}

function number({ type, minimum, maximum }: Schema): fc.Arbitrary<number> {
  const min = minimum ?? -1_000_000;
  const max = maximum ?? 1_000_000_000;
  return type === 'integer' || Number.isInteger(minimum)
    ? fc.oneof(fc.integer({ min, max: Math.min(max, min + 20) }), fc.integer({ min, max }))
    : fc.double({ min, max, noNaN: true });
}

/** Generates values just outside a schema, or of a different type. */
function invalid({ minimum, maximum, minLength, maxLength, format, example }: Schema): fc.Arbitrary<unknown> {
  const beyond: unknown[] = [];
  if (minimum !== undefined) beyond.push(minimum - 1, minimum - 0.5, minimum);
  if (maximum !== undefined) beyond.push(maximum + 1, maximum + 0.5, maximum);
  if (minLength) beyond.push('x'.repeat(minLength - 1), 'x'.repeat(minLength));
  if (maxLength)
    for (const unit of ['x', '𝄞']) beyond.push(unit.repeat(maxLength), unit.repeat(maxLength + 1));
  return fc.oneof(
    { arbitrary: peculiarJson, weight: 2 },
    ...(beyond.length > 0 ? [fc.constantFrom(...beyond)] : []),
    ...(format === 'date-time' || isBound(example) ? [anyInstant] : []),
  );
}

/** Generates mostly valid values with a missing field, an additional field, or a field of a different type. */
export function nearlyValid(schema: Schema, name = ''): fc.Arbitrary<unknown> {
  const { oneOf, items, properties, required = [] } = schema;
  if (oneOf) return fc.oneof(...oneOf.map((one) => nearlyValid(one, name)));
  if (schema.type === 'array' && items) return fc.array(mixed(items), { maxLength: 6 });
  if (!properties) return mixed(schema, name);
  const fields = fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([key, each]) => [
        key,
        fc.option(mixed(each, key), { nil: undefined, freq: required.includes(key) ? 30 : 3 }),
      ]),
    ),
  );
  const extra = fc.oneof(
    { arbitrary: fc.constant({}), weight: 6 },
    fc.dictionary(peculiarText, peculiarJson, { minKeys: 1, maxKeys: 2 }),
  );
  return fc.tuple(fields, extra).map(([own, others]) => ({ ...own, ...others }));
}

const mixed = (schema: Schema, name = ''): fc.Arbitrary<unknown> =>
  schema.properties || schema.oneOf
    ? fc.oneof({ arbitrary: nearlyValid(schema, name), weight: 9 }, peculiarJson)
    : fc.oneof({ arbitrary: valid(schema, name), weight: 7 }, invalid(schema));

/** Generates the text of a parameter: valid, nearly valid, or arbitrary. */
export function parameterText(schema: Schema): fc.Arbitrary<string> {
  return fc.oneof(
    { arbitrary: valid(schema).map(String), weight: 5 },
    invalid(schema).map((value) =>
      typeof value === 'string' ? value.replaceAll('\u0001', '') : JSON.stringify(value),
    ),
    peculiarText,
  );
}
