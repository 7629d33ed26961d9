import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { areUnique, isSame } from './equality.js';
import { PayloadSchema } from './payload-schema.js';

/** Keys that a comparison by way of JavaScript's own methods stumbles over. */
const TREACHEROUS = ['toString', 'valueOf', 'constructor', 'hasOwnProperty', 'length', '__proto__'];

const parsed = (key: string): Record<string, unknown> =>
  JSON.parse(`{"a":{"${key}":1}}`) as Record<string, unknown>;

describe('Values in a payload', () => {
  it.each(TREACHEROUS)('are compared by what they hold, also under the key %s', (key) => {
    const [one, same] = [parsed(key), parsed(key)];
    const inside = { [key]: {} };
    const schemas = [{ const: one['a'] }, { enum: [0, one['a']] }];
    for (const schema of schemas) {
      const payloads = new PayloadSchema({ properties: { a: schema } });
      expect(payloads.fits(same)).toBe(true);
      expect(payloads.fits({ a: { other: 1 } })).toBe(false);
      expect(payloads.fits({ a: inside })).toBe(false);
      expect(Object.keys(payloads.explain({ a: inside }))).toEqual(['data.a']);
    }
    const unique = new PayloadSchema({ properties: { list: { uniqueItems: true, maxItems: 9 } } });
    expect(unique.fits({ list: [one, inside, {}, 1, '1', null] })).toBe(true);
    expect(unique.fits({ list: [one, {}, same] })).toBe(false);
    expect(unique.explain({ list: [one, same] })).toEqual({
      'data.list': [expect.stringMatching(/^must NOT have duplicate items; came /)],
    });
  });

  it('are the same exactly if they are, however deep; -0 is 0', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (one, other) => {
        expect(isSame(one, JSON.parse(JSON.stringify(one)))).toBe(true);
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        expect(isSame(plain(one), plain(other))).toBe(isDeepStrictEqual(plain(one), plain(other)));
      }),
    );
    expect([isSame(-0, 0), isSame([], {}), isSame(null, {}), isSame([1], { 0: 1 })]).toEqual([
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
