import { dateTimeOf } from '../replication/copy-table.js';
import type { Node } from './sandbox/syntax-tree.js';

const COLUMNS: readonly string[] = [
  'id',
  'application',
  'session_id',
  'category',
  'name',
  `${dateTimeOf('copied.timestamp')} AS timestamp`,
  'copied.timestamp AS timestamp_micros',
  'data',
  'data_text',
];

/** A path in the payload of plain keys, such as `e.data.path`, perhaps with its type. */
const PATH = /^(?:\w+\.)?(data(?:\.[A-Za-z_]\w*)+(?:\.:`[\w(), ]+`)?)(?: \(alias .*\))?$/s;

/**
 * The columns of `events` as a statement sees them, of the table `copied`. A path that the statement names is a column of its own, because ClickHouse would read the whole
 * payload for it, which takes twenty times as long. `SELECT *` must not show such columns, so it does without.
 */
export function eventColumns(tree: Node): string[] {
  const paths = new Set<string>();
  return collect(tree, paths) ? [...COLUMNS, ...[...paths].map(asColumn)] : [...COLUMNS];
}

const asColumn = (path: string): string => `${path} AS \`${path.replaceAll('`', '\\`')}\``;

/** @returns false if the statement shows columns that it does not name */
function collect({ kind, detail, children }: Node, paths: Set<string>): boolean {
  if (kind === 'Function' && /^count\b/i.test(detail) && children[0]?.children[0]?.kind === 'Asterisk')
    return true;
  if (kind.includes('Asterisk') || kind.includes('Matcher')) return false;
  const path = kind === 'Identifier' ? PATH.exec(detail)?.[1] : undefined;
  if (path !== undefined) paths.add(path);
  return children.every((child) => collect(child, paths));
}
