import fc from 'fast-check';
import { indentJson } from './indent-json.js';

describe('indentJson', () => {
  it('indents every JSON value as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.integer({ min: 1, max: 8 }), (value, indent) => {
        expect(indentJson(JSON.stringify(value), indent, 1_000_000)).toBe(
          JSON.stringify(value, null, indent),
        );
      }),
    );
  });

  it('keeps texts with escapes and brackets, and ignores the blanks between tokens', () => {
    expect(indentJson('{"a\\"{": [1, "x\\\\"], "b": { }}', 2, 1000)).toBe(
      JSON.stringify({ 'a"{': [1, 'x\\'], b: {} }, null, 2),
    );
  });

  it('gives up when the result of a deep value would be too long', () => {
    const deep = `${'['.repeat(1000)}${']'.repeat(1000)}`;
    expect(indentJson(deep, 8, 100_000)).toBeUndefined();
    expect(indentJson('[1]', 8, 2)).toBeUndefined();
  });
});
