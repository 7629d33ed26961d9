import { parseSyntaxTree, SyntaxTreeError } from './syntax-tree.js';

describe('parseSyntaxTree()', () => {
  it('reads kinds, details and children', () => {
    expect(parseSyntaxTree(['A (children 2)', ' B x (alias y) (children 1)', '  C::D', ' E'])).toEqual({
      kind: 'A',
      detail: '',
      children: [
        { kind: 'B', detail: 'x (alias y)', children: [{ kind: 'C::D', detail: '', children: [] }] },
        { kind: 'E', detail: '', children: [] },
      ],
    });
  });

  it.each([
    ['no lines', []],
    ['a missing child', ['A (children 1)']],
    ['a child too many', ['A', ' B']],
    ['a second tree', ['A', 'B']],
    ['a node below nothing', ['A (children 1)', '   B']],
    ['a line that is no node', ['A (children 1)', ' (children 1)']],
  ])('refuses %s', (_, lines) => {
    expect(() => parseSyntaxTree(lines)).toThrow(SyntaxTreeError);
  });
});
