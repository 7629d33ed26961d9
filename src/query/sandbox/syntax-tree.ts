/** A node of a syntax tree, as `EXPLAIN AST` shows it. */
export interface Node {
  /** E.g. `Function` or `TableIdentifier`. */
  readonly kind: string;
  /** What follows the kind, e.g. the name of a function. Empty where nothing does. */
  readonly detail: string;
  readonly children: readonly Node[];
}

interface OpenNode {
  readonly node: Node & { readonly children: Node[] };
  readonly childCount: number;
}

/** Depth by blanks, kind, detail, number of children. */
const LINE = /^( *)([\w:]+)(?: (.*?))??(?: \(children (\d+)\))?$/s;

/** The lines were not understood: the statement may mean something else than they seem to say. */
export class SyntaxTreeError extends Error {}

/**
 * Reads the lines of `EXPLAIN AST`. Each node says how many children it has, so a name with a line of its own is noticed.
 * @throws SyntaxTreeError
 */
export function parseSyntaxTree(lines: readonly string[]): Node {
  const open: OpenNode[] = [];
  let root: Node | undefined;
  for (const line of lines) {
    const [, blanks = '', kind = '', detail = '', count = '0'] = LINE.exec(line) ?? [];
    const depth = blanks.length;
    if (kind === '' || depth > open.length) throw new SyntaxTreeError(`No node: ${line}`);
    close(open, depth);
    const node = { kind, detail, children: [] };
    if (depth === 0 && root) throw new SyntaxTreeError('Two trees.');
    if (depth === 0) root = node;
    open[depth - 1]?.node.children.push(node);
    open.push({ node, childCount: Number(count) });
  }
  close(open, 0);
  if (!root) throw new SyntaxTreeError('No tree.');
  return root;
}

/** Leaves the nodes at this depth and below it. */
function close(open: OpenNode[], depth: number): void {
  for (const { node, childCount } of open.splice(depth))
    if (node.children.length !== childCount)
      throw new SyntaxTreeError(`${node.kind} has ${node.children.length} of ${childCount} children.`);
}
