import { JsonFilterError, parseJsonFilter } from './json-filter.js';
import { parseCondition } from './query-filter.js';

function errorsOf(value: unknown): unknown {
  try {
    parseJsonFilter(value);
    return {};
  } catch (error) {
    return (error as JsonFilterError).errors;
  }
}

describe('parseJsonFilter()', () => {
  it.each<[string, string, unknown]>([
    ['data.path', '/checkout', { 'data.path': '/checkout' }],
    ['data.price:eq', '42', { 'data.price': 42 }],
    ['data.price:not', 'null', { 'data.price': { not: null } }],
    ['data.a\\.b:in', '1,x', { 'data.a\\.b': { in: [1, 'x'] } }],
    ['category', 'purchase', { category: 'purchase' }],
    ['data.price:between', '1,2', { 'data.price': { between: [1, 2] } }],
    ['data.price:exists', 'true', { 'data.price': { exists: true } }],
  ])('means the same as a query string: %s=%s', (name, value, filter) => {
    expect(parseJsonFilter(filter)).toEqual({ kind: 'all', filters: [parseCondition(name, value)] });
  });

  it('has groups', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((key) => parseCondition(`data.${key}`, 'x'));
    expect(parseJsonFilter({ 'data.a': 'x', any: [{ 'data.b': 'x' }, { not: { 'data.c': 'x' } }] })).toEqual({
      kind: 'all',
      filters: [
        a,
        {
          kind: 'any',
          filters: [
            { kind: 'all', filters: [b] },
            { kind: 'all', filters: [{ kind: 'not', filter: { kind: 'all', filters: [c] } }] },
          ],
        },
      ],
    });
  });

  it.each<[unknown, string, RegExp]>([
    [[], 'filter', /object of conditions/],
    [{ 'data.a': { near: 1 } }, 'filter.data.a.near', /There is no operator/],
    [{ 'data.a': [1] }, 'filter.data.a', /a list is for `in`/],
    [{ 'data.a': {} }, 'filter.data.a', /Must have an operator/],
    [{ 'data.a': { in: 'x' } }, 'filter.data.a.in', /Must be a list/],
    [{ 'data.a': { in: [{}] } }, 'filter.data.a.in', /Must be a text, a number/],
    [{ 'data.a': { between: ['a', 1] } }, 'filter.data.a.between', /two numbers or two texts/],
    [{ category: 1 }, 'filter.category', /Must be a text/],
    [{ any: [] }, 'filter.any', /list of filters/],
    [{ any: [{}] }, 'filter.any.0', /Must have a condition/],
    [{ any: [{ 'data.a': { gt: null } }] }, 'filter.any.0.data.a.gt', /a number or a text/],
    [{ colour: 1 }, 'filter.colour', /Must be application/],
    [
      JSON.parse(`${'{"not":'.repeat(12)}{"name":"x"}${'}'.repeat(12)}`),
      `filter${'.not'.repeat(9)}`,
      /8 levels/,
    ],
    [JSON.parse('{"__proto__":1}'), 'filter.__proto__', /Must be application/],
  ])('names the place of what is wrong with %j', (value, place, message) => {
    expect(errorsOf(value)).toEqual({ [place]: [expect.stringMatching(message)] });
  });

  it.each<[string, unknown]>([
    [
      'names that are none',
      Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`x${index}`, 1])),
    ],
    ['groups without a condition', { all: Array.from({ length: 20_000 }, () => ({})) }],
    [
      'operators that are none',
      { 'data.a': Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`x${index}`, 1])) },
    ],
  ])('looks at no more of 20,000 %s than it would report', (_, value) => {
    expect(Object.keys(errorsOf(value) as object).length).toBeLessThan(50);
  });

  it('shortens the name of an operator that does not exist', () => {
    const [[message = ''] = []] = Object.values(
      errorsOf({ 'data.a': { ['x'.repeat(100_000)]: 1 } }) as Record<string, string[]>,
    );
    expect(message.length).toBeLessThan(500);
  });
});
