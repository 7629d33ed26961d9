import fc from 'fast-check';
import type { Filter, Property } from './filter.js';
import {
  MAX_CONDITIONS,
  ParameterErrors,
  parseCondition,
  parseQueryFilter,
  isCondition,
} from './query-filter.js';
import { formatProperty, parseProperty } from './property-name.js';

const data = (...path: string[]): Property => ({ kind: 'data', path });

function errorOf(name: string, value: unknown): string | undefined {
  const errors = new ParameterErrors();
  parseQueryFilter({ [name]: value }, errors);
  return errors.errors[name]?.[0];
}

describe('parseQueryFilter()', () => {
  it.each<[string, string, Filter]>([
    ['data.path', '/checkout', { kind: 'in', property: data('path'), values: ['/checkout'] }],
    ['data.width', '42', { kind: 'in', property: data('width'), values: ['42'] }],
    ['data.width:eq', '42', { kind: 'in', property: data('width'), values: [42] }],
    ['data.width:eq', '"42"', { kind: 'in', property: data('width'), values: ['42'] }],
    ['data.width:eq', 'true', { kind: 'in', property: data('width'), values: [true] }],
    ['data.width:eq', 'null', { kind: 'in', property: data('width'), values: [null] }],
    ['data.width:eq', '-0', { kind: 'in', property: data('width'), values: [0] }],
    ['data.width:eq', '042', { kind: 'in', property: data('width'), values: ['042'] }],
    ['data.form.first_name', 'Ann', { kind: 'in', property: data('form', 'first_name'), values: ['Ann'] }],
    ['data.a\\.b.c\\:d\\\\', 'x', { kind: 'in', property: data('a.b', 'c:d\\'), values: ['x'] }],
    ['data.', 'x', { kind: 'in', property: data(''), values: ['x'] }],
    ['data.a..b', 'x', { kind: 'in', property: data('a', '', 'b'), values: ['x'] }],
    [
      'data.plan:in',
      'free,"a,b",1,"",null',
      { kind: 'in', property: data('plan'), values: ['free', 'a,b', 1, '', null] },
    ],
    [
      'name:in',
      '404,"a,b",true',
      { kind: 'in', property: { kind: 'field', field: 'name' }, values: ['404', 'a,b', 'true'] },
    ],
    [
      'data.plan:not',
      'free',
      { kind: 'not', filter: { kind: 'in', property: data('plan'), values: ['free'] } },
    ],
    ['data.zip:begins', '04', { kind: 'begins', property: data('zip'), text: '04' }],
    ['data.zip:contains', '4', { kind: 'contains', property: data('zip'), text: '4' }],
    ['data.zip:exists', 'false', { kind: 'not', filter: { kind: 'exists', property: data('zip') } }],
    ['data.price:gte', '10', { kind: 'gte', property: data('price'), bound: 10 }],
    ['data.day:lt', '2021-01-01', { kind: 'lt', property: data('day'), bound: '2021-01-01' }],
    [
      'data.price:between',
      '1,2.5',
      {
        kind: 'all',
        filters: [
          { kind: 'gte', property: data('price'), bound: 1 },
          { kind: 'lte', property: data('price'), bound: 2.5 },
        ],
      },
    ],
  ])('reads %s=%s', (name, value, filter) => {
    expect(isCondition(name)).toBe(true);
    expect(parseCondition(name, value)).toEqual(filter);
  });

  it.each<[string, unknown, RegExp]>([
    ['data', 'x', /Must name a path/],
    ['data:eq', 'x', /Must name a path/],
    ['data.og:title', 'x', /There is no operator `title`.*A colon inside a key is written/],
    ['data.a:eq:eq', 'x', /More than one operator/],
    ['data.a:constructor', 'x', /There is no operator/],
    ['data.a\\b', 'x', /A backslash stands only before/],
    ['data.a\\', 'x', /A backslash stands only before/],
    ['data.a', ['x', 'y'], /Must be given once/],
    ['data.a:eq', '"x', /must be a JSON text/],
    ['data.a:eq', '"x"y', /must be a JSON text/],
    ['data.a:eq', '"\\x"', /must be a JSON text/],
    ['data.a:in', 'x,,y', /write "" for the empty text/],
    ['data.a:in', '"x"y', /A comma must follow/],
    ['data.a:in', Array(101).fill('x').join(), /at most 100 values/],
    ['data.a:exists', '1', /true or false/],
    ['data.a:gt', 'true', /a number or a text/],
    ['data.a:between', '1', /two values/],
    ['data.a:between', '1,x', /two numbers or two texts/],
    ['data.a:eq', '9007199254740993', /more digits than a double/],
    ['data.a:eq', '1e400', /more digits than a double/],
    ['data.a', 'x\0', /U\+0000/],
    ['data.a\0', 'x', /U\+0000/],
    ['category:exists', 'true', /Every event has this field/],
  ])('names what is wrong with %s=%s', (name, value, message) => {
    expect(errorOf(name, value)).toMatch(message);
  });

  it('bounds the conditions', () => {
    const errors = new ParameterErrors();
    const parameters = Object.fromEntries(
      Array.from({ length: MAX_CONDITIONS + 5 }, (_, index) => [`data.${index}`, 'x']),
    );
    parseQueryFilter(parameters, errors);
    expect(Object.values(errors.errors)).toEqual([[`More than ${MAX_CONDITIONS} conditions.`]]);
  });

  it('parses what it formats', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 }), (path) => {
        const isStorable = path.every((key) => !key.includes('\0') && key.isWellFormed());
        fc.pre(isStorable);
        expect(parseProperty(formatProperty(data(...path)))).toEqual(data(...path));
      }),
    );
  });

  it('fails with nothing but a message', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('eq', 'in', 'between', 'contains', 'exists', 'gt', ''),
        fc.string({ unit: fc.constantFrom('"', '\\', ',', '1', 'a', ':', '.') }),
        (key, operator, value) => {
          const errors = new ParameterErrors();
          parseQueryFilter({ [`data.${key}:${operator}`]: value }, errors);
        },
      ),
    );
  });
});
