import { setTimeout as sleep } from 'node:timers/promises';
import { PayloadSchema } from './payload-schema.js';

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
  const payloads = new PayloadSchema(schema);
  expect(payloads.fits(data)).toBe(false);
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
    expect(new PayloadSchema(SCHEMA).fits(data)).toBe(true);
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

  it('reports only the first violation of a large payload', () => {
    const items = { properties: { a: { items: { type: 'string' } } } };
    const errors = explain({ a: Array.from({ length: 5000 }, (_, index) => index) }, items);
    expect(errors).toEqual({ 'data.a.0': ['must be string, not 0'] });
  });

  it('checks long lists against large enums and uniqueItems within the time-out', async () => {
    const payloads = new PayloadSchema({
      properties: {
        a: { type: 'array', items: { enum: Array.from({ length: 1000 }, (_, index) => `value ${index}`) } },
        b: { type: 'array', uniqueItems: true, maxItems: 900 },
      },
    });
    for (let repeat = 0; repeat < 5; repeat++)
      payloads.fits({
        a: new Array<string>(5000).fill('value 999'),
        b: Array.from({ length: 900 }, (_, index) => [index]),
      });
    // Jest checks the time-out of synchronous work only after the test has returned to the event loop.
    await sleep(0);
  }, 10_000);

  it('keeps no state from one payload to the next', () => {
    const payloads = new PayloadSchema(SCHEMA);
    payloads.explain({});
    expect(payloads.fits(form({}))).toBe(true);
    expect({ ...payloads.explain({ form: 1 }) }).toEqual({ 'data.form': ['must be object, not 1'] });
  });

  it('checks each property against its own pattern', () => {
    const payloads = new PayloadSchema({ properties: { a: { pattern: '^a' }, b: { pattern: '^b' } } });
    expect(payloads.fits({ a: 'a', b: 'b' })).toBe(true);
    expect(payloads.fits({ a: 'a', b: 'a' })).toBe(false);
  });

  it('allows two schemas with the same $id', () => {
    const $id = 'https://example.com/schema';
    expect(new PayloadSchema({ $id, type: 'object', required: ['a'] }).fits({ a: 1 })).toBe(true);
    expect(new PayloadSchema({ $id, type: 'object', required: ['b'] }).fits({ a: 1 })).toBe(false);
  });
});
