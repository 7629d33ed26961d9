import { Script } from 'node:vm';
import { compileSchema } from './compile-schema.js';
import { compiled } from './payload-schema.spec-support.js';

const SCHEMA = {
  type: 'object',
  properties: {
    form: {
      type: 'object',
      properties: {
        first_name: { type: 'string', minLength: 2 },
        last_name: { type: 'string', pattern: '^[A-Z]' },
        age: { type: ['integer', 'null'], minimum: 0 },
        plan: { enum: ['free', 'paid'] },
        email: { type: 'string', format: 'email' },
        price: { type: 'number', multipleOf: 0.01 },
        tags: { type: 'array', items: { type: 'string' }, maxItems: 3, uniqueItems: true },
      },
      required: ['first_name'],
      additionalProperties: false,
    },
    version: { const: 2 },
  },
  required: ['form'],
  dependentRequired: { coupon: ['code'] },
};

const form = (fields: object): object => ({ form: { first_name: 'Ada', ...fields } });

const explain = (data: unknown, schema: unknown = SCHEMA): Record<string, string[]> => {
  const payloads = compiled(schema);
  expect(payloads.explain(data)).toBeDefined();
  return { ...payloads.explain(data) };
};

describe('PayloadSchema', () => {
  it.each([
    [form({})],
    [
      form({
        last_name: 'Lovelace',
        age: null,
        plan: 'paid',
        email: 'ada@example.com',
        price: 19.99,
        tags: ['a', 'b'],
      }),
    ],
    [{ ...form({}), version: 2, anything: { else: true } }],
  ])('accepts %j and leaves it unchanged', (data) => {
    const before = JSON.stringify(data);
    expect(compiled(SCHEMA).explain(data)).toBeUndefined();
    expect(JSON.stringify(data)).toBe(before);
  });

  it.each<[object, string, string]>([
    [{}, 'data.form', 'is required'],
    [{ form: {} }, 'data.form.first_name', 'is required'],
    [{ form: 42 }, 'data.form', 'must be object, not 42'],
    [form({ first_name: 42 }), 'data.form.first_name', 'must be string, not 42'],
    [form({ first_name: 'A' }), 'data.form.first_name', 'must NOT have fewer than 2 characters; got "A"'],
    [form({ last_name: 'love' }), 'data.form.last_name', 'must match pattern "^[A-Z]", not "love"'],
    [form({ age: '7' }), 'data.form.age', 'must be integer or null, not "7"'],
    [form({ age: -1 }), 'data.form.age', 'must be >= 0, not -1'],
    [form({ plan: 'gold' }), 'data.form.plan', 'must be one of "free", "paid", not "gold"'],
    [form({ email: 'ada' }), 'data.form.email', 'must match format "email", not "ada"'],
    [form({ price: 0.001 }), 'data.form.price', 'must be multiple of 0.01, not 0.001'],
    [form({ tags: ['a', 1] }), 'data.form.tags.1', 'must be string, not 1'],
    [
      form({ tags: ['a', 'b', 'c', 'd'] }),
      'data.form.tags',
      'must NOT have more than 3 items; got ["a","b","c","d"]',
    ],
    [form({ colour: 'red' }), 'data.form.colour', 'is not an allowed property'],
    [{ ...form({}), version: 3 }, 'data.version', 'must be 2, not 3'],
    [{ ...form({}), coupon: 'x' }, 'data.code', 'is required together with coupon'],
    [
      form({ first_name: ['x'.repeat(100)] }),
      'data.form.first_name',
      `must be string, not ["${'x'.repeat(37)}…`,
    ],
  ])('rejects %j: %s %s', (data, path, message) => {
    expect(explain(data)).toEqual({ [path]: [message] });
  });

  it('reports every violation, also of keys with special characters', () => {
    const schema = {
      properties: { 'a/b~c': { type: 'string' }, b: { type: 'number' } },
      required: ['toString'],
    };
    expect(explain({ 'a/b~c': 1, b: 'x' }, schema)).toEqual({
      'data.toString': ['is required'],
      'data.a/b~c': ['must be string, not 1'],
      'data.b': ['must be number, not "x"'],
    });
  });

  it('reports at most 20 violations', () => {
    const items = { properties: { a: { items: { type: 'string' } } } };
    expect(Object.keys(explain({ a: Array.from({ length: 50 }, (_, index) => index) }, items))).toHaveLength(
      20,
    );
  });

  it('reports only the first violation of a payload that takes many steps to check', () => {
    const items = { properties: { a: { items: { type: 'string' } } } };
    const errors = explain({ a: Array.from({ length: 26_000 }, (_, index) => index) }, items);
    expect(errors).toEqual({ 'data.a.0': ['must be string, not 0'] });
  });

  const many = <Item>(length: number, item: (index: number) => Item): Item[] =>
    Array.from({ length }, (_, index) => item(index));
  const dictionary = Object.fromEntries(many(6000, (index) => [`k${index}`, 1]));
  const few = Object.fromEntries(many(300, (index) => [`k${index}`, 1]));
  const text = 'ab'.repeat(30_000);

  it.each<[string, object, unknown]>([
    ['anyOf', { items: { anyOf: many(600, (index) => ({ const: index })) } }, many(30_000, () => 599)],
    ['oneOf', { items: { oneOf: many(600, (index) => ({ const: index })) } }, many(30_000, () => 599)],
    ['items', { allOf: many(600, () => ({ items: { type: 'integer' } })) }, many(30_000, () => 1)],
    ['contains', { allOf: many(400, () => ({ not: { contains: { const: 2 } } })) }, many(30_000, () => 1)],
    [
      'nested items',
      { items: { items: { allOf: many(400, () => ({ minimum: 0 })) } } },
      many(5000, () => [1]),
    ],
    ['uniqueItems', { allOf: many(40, () => ({ uniqueItems: true })) }, many(5000, (index) => [index])],
    ['enum', { items: { allOf: many(10, () => ({ enum: [[499]] })) } }, many(9000, () => [499])],
    ['enum of a long key', { anyOf: many(900, () => ({ enum: [{}] })) }, { [text]: 0 }],
    [
      'const with many keys',
      { items: { anyOf: [...many(20, () => ({ const: few })), { type: 'object' }] } },
      many(300, () => ({})),
    ],
    [
      'const',
      { items: { anyOf: many(30, (index) => ({ const: { a: 0, b: 1, c: 29 - index } })) } },
      many(3000, () => ({ a: 0, b: 1, c: 0 })),
    ],
    ['references', { items: { allOf: many(300, () => ({ $ref: '#/$defs/b' })) } }, many(30_000, () => 1)],
    [
      'additionalProperties',
      { allOf: many(300, () => ({ additionalProperties: { type: 'integer' } })) },
      dictionary,
    ],
    [
      'unevaluatedProperties',
      { allOf: many(300, () => ({ unevaluatedProperties: { type: 'integer' } })) },
      dictionary,
    ],
    ['propertyNames', { allOf: many(300, () => ({ propertyNames: { minLength: 1 } })) }, dictionary],
    ['minProperties', { allOf: many(900, () => ({ minProperties: 1 })) }, dictionary],
    [
      'patternProperties',
      { patternProperties: Object.fromEntries(many(60, (index) => [`^z${index}`, { type: 'string' }])) },
      dictionary,
    ],
    ['pattern', { pattern: 'a.{200}\\d\\d' }, text],
    ['maxLength', { allOf: many(900, (index) => ({ maxLength: 60_000 + index })) }, text],
    ['format', { anyOf: [...many(600, () => ({ format: 'email' })), {}] }, text],
  ])('refuses a payload that takes too many steps to check: %s', (_, schema, value) => {
    const $defs = { a: { type: 'integer' }, b: { $ref: '#/$defs/a' } };
    const payloads = compiled({ $defs, properties: { a: schema } });
    expect(payloads.explain({ a: value })).toEqual({ data: [expect.stringMatching(/200,000 steps/)] });
    // The next check starts to count again.
    expect(payloads.explain({})).toBeUndefined();
  });

  it('has enough steps for large payloads of usual schemas', () => {
    const row = Object.fromEntries(
      many(30, (index) => [
        `p${index}`,
        index % 3 === 0 ? { type: 'string', pattern: '^[a-z]+$' } : { enum: [1, 2] },
      ]),
    );
    const payloads = compiled({
      properties: {
        rows: { items: { type: 'object', properties: row, required: Object.keys(row) } },
        points: { items: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } } } },
        numbers: { items: { type: 'number', minimum: 0 }, uniqueItems: true },
        countries: { items: { enum: many(250, (index) => `country ${index}`) } },
        rooms: { uniqueItems: true, items: { enum: many(500, (index) => ({ room: index })) } },
        text: { type: 'string', minLength: 1, maxLength: 65_536 },
      },
    });
    const values = {
      rows: many(180, () =>
        Object.fromEntries(many(30, (index) => [`p${index}`, index % 3 === 0 ? 'text' : 1])),
      ),
      points: many(5000, () => ({ x: 1, y: 2 })),
      numbers: many(30_000, (index) => index),
      countries: many(5000, () => 'country 249'),
      rooms: many(500, (index) => ({ room: index })),
      text,
    };
    for (const [name, value] of Object.entries(values))
      expect(payloads.explain({ [name]: value })).toBeUndefined();
  });

  it('keeps no state from one payload to the next', () => {
    const payloads = compiled(SCHEMA);
    payloads.explain({});
    expect(payloads.explain(form({}))).toBeUndefined();
    expect({ ...payloads.explain({ form: 1 }) }).toEqual({ 'data.form': ['must be object, not 1'] });
  });

  it('checks each property against its own pattern', () => {
    const payloads = compiled({ properties: { a: { pattern: '^a' }, b: { pattern: '^b' } } });
    expect(payloads.explain({ a: 'a', b: 'b' })).toBeUndefined();
    expect(payloads.explain({ a: 'a', b: 'a' })).toBeDefined();
  });

  it('has the code of an enum once, however many references there are to it', () => {
    const items = many(500, () => ({ $ref: '#/$defs/a' }));
    const $defs = { a: { enum: many(800, (index) => `a long text of number ${index}`) } };
    const payloads = compiled({ $defs, properties: { a: { prefixItems: items } } });
    expect(payloads.bytes).toBeLessThan(4_000_000);
    expect(payloads.explain({ a: ['a long text of number 799'] })).toBeUndefined();
    expect(payloads.explain({ a: ['other'] })).toBeDefined();
  });

  it('is made without being compiled by V8 again', () => {
    const compilation = compileSchema(JSON.stringify(SCHEMA));
    if ('errors' in compilation) throw new Error(JSON.stringify(compilation.errors));
    for (const { text, cachedData } of [compilation.first, compilation.all])
      expect(new Script(text, { cachedData }).cachedDataRejected).toBe(false);
  });

  it('allows two schemas with the same $id', () => {
    const $id = 'https://example.com/schema';
    expect(compiled({ $id, type: 'object', required: ['a'] }).explain({ a: 1 })).toBeUndefined();
    expect(compiled({ $id, type: 'object', required: ['b'] }).explain({ a: 1 })).toBeDefined();
  });
});
