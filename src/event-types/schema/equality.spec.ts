import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { areUnique, isEqual } from './equality.js';
import { compiled } from './payload-schema.spec-support.js';

/** Keys that break a comparison that calls the methods of the values. */
const SPECIAL_KEYS = ['toString', 'valueOf', 'constructor', 'hasOwnProperty', 'length', '__proto__'];

const parsed = (key: string): Record<string, unknown> =>
  JSON.parse(`{"a":{"${key}":1}}`) as Record<string, unknown>;

describe('Equality of JSON values', () => {
  it.each(SPECIAL_KEYS)('compares objects with the key %s by their content, in every keyword', (key) => {
    const [one, same] = [parsed(key), parsed(key)];
    const inside = { [key]: {} };
    const schemas = [{ const: one['a'] }, { enum: [0, one['a']] }];
    for (const schema of schemas) {
      const payloads = compiled({ properties: { a: schema } });
      expect(payloads.explain(same)).toBeUndefined();
      expect(payloads.explain({ a: { other: 1 } })).toBeDefined();
      expect(payloads.explain({ a: inside })).toBeDefined();
      expect(Object.keys(payloads.explain({ a: inside }) ?? {})).toEqual(['data.a']);
    }
    const unique = compiled({ properties: { list: { uniqueItems: true } } });
    expect(unique.explain({ list: [one, inside, {}, 1, '1', null] })).toBeUndefined();
    expect(unique.explain({ list: [one, {}, same] })).toBeDefined();
    expect(unique.explain({ list: [one, same] })).toEqual({
      'data.list': [expect.stringMatching(/^must NOT have duplicate items; got /)],
    });
  });

  it('agrees with isDeepStrictEqual, except that -0 equals 0', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        expect(isEqual(one, JSON.parse(JSON.stringify(one)))).toBe(true);
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        expect(isEqual(plain(one), plain(other))).toBe(isDeepStrictEqual(plain(one), plain(other)));
      }),
    );
    expect([isEqual(-0, 0), isEqual([], {}), isEqual(null, {}), isEqual([1], { 0: 1 })]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([areUnique([0, -0]), areUnique([1, '1', true, null]), areUnique([[1], [1]])]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
