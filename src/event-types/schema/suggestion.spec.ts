import fc from 'fast-check';
import { compiled } from './payload-schema.spec-support.js';
import { Suggestion } from './suggestion.js';

function suggest(payloads: Record<string, unknown>[]): Record<string, unknown> {
  const suggestion = new Suggestion();
  for (const payload of payloads) suggestion.add(payload);
  const { $schema, ...schema } = suggestion.schema();
  expect($schema).toBe('https://json-schema.org/draft/2020-12/schema');
  return schema;
}

describe('Suggestion', () => {
  it('is a valid schema that every added payload matches', () => {
    const text = fc.oneof(
      fc.constantFrom('a', 'b', '', '__proto__', 'toString', 'const', '$ref', 'a/b', '~'),
      fc.uuid(),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
      fc.string({ unit: 'grapheme' }),
    );
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        text,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(text, tie('value'), { maxKeys: 5 }),
      ),
    }));
    const payload = fc
      .dictionary(text, value, { maxKeys: 6 })
      .map((data) => JSON.parse(JSON.stringify(data)) as Record<string, unknown>);
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 30 }), (payloads) => {
        const suggestion = new Suggestion();
        for (const each of payloads) suggestion.add(each);
        const schema = compiled(suggestion.schema());
        expect(payloads.filter((each) => schema.explain(each) !== undefined)).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  it('merges types, distinguishes integers from numbers, and requires properties that are always present', () => {
    expect(
      suggest([
        { always: 1, price: 1, sometimes: null, list: [1, 'a'], inner: { a: true } },
        { always: 2, price: 1.5, list: [], inner: {} },
      ]),
    ).toEqual({
      type: 'object',
      properties: {
        always: { type: 'integer' },
        price: { type: 'number' },
        sometimes: { type: 'null' },
        list: { type: 'array', items: { type: ['integer', 'string'] } },
        inner: { type: 'object', properties: { a: { type: 'boolean' } } },
      },
      required: ['always', 'price', 'list', 'inner'],
    });
  });

  it('detects formats that every value has', () => {
    const id = '0176bd3b-005b-80ee-8ee4-da401add9c02';
    const at = '2021-01-01T09:15:29.243860Z';
    expect(
      suggest([
        { id, at, mixed: id },
        { id, at, mixed: at },
      ])['properties'],
    ).toEqual({
      id: { type: 'string', format: 'uuid' },
      at: { type: 'string', format: 'date-time' },
      mixed: { type: 'string' },
    });
  });

  it('makes an enum of few distinct strings that occur often', () => {
    const payloads = (count: number, plans: number): Record<string, unknown>[] =>
      Array.from({ length: count }, (_, index) => ({ plan: `plan ${index % plans}` }));
    const plan = (count: number, plans: number): unknown =>
      (suggest(payloads(count, plans))['properties'] as Record<string, unknown>)['plan'];
    expect(plan(20, 3)).toEqual({ type: 'string', enum: ['plan 0', 'plan 1', 'plan 2'] });
    expect(plan(19, 3)).toEqual({ type: 'string' });
    expect(plan(40, 8)).toMatchObject({ enum: expect.any(Array) });
    expect(plan(40, 9)).toEqual({ type: 'string' });
  });

  it('does not describe the keys of a dictionary', () => {
    const dictionary = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`key ${index}`, index]),
    );
    expect(suggest([{ a: 1, dictionary }])).toEqual({
      type: 'object',
      properties: { a: { type: 'integer' }, dictionary: { type: 'object' } },
      required: ['a', 'dictionary'],
    });
  });

  it('is within the limits of a schema, however large the payloads are', () => {
    const words = (seed: number): string => `${seed} ${'字'.repeat(90)}`;
    const payloads = Array.from({ length: 30 }, (_, row) =>
      Object.fromEntries(Array.from({ length: 150 }, (_, index) => [words(index), words(row % 8)])),
    );
    let deep: Record<string, unknown> = { end: true };
    for (let level = 0; level < 90; level++) deep = { deep, list: [[[level]]] };
    for (const all of [payloads, [deep]]) {
      const schema = compiled(suggest(all));
      for (const payload of all) expect(schema.explain(payload)).toBeUndefined();
    }
  });
});
