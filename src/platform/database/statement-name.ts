/**
 * Names a statement by its operation and its table, e.g. `INSERT events` or `SELECT rejections`; by its first keyword if
 * it has no table. There are few tables, so the names are few enough for the labels of a metric.
 */
export function statementName(sql: string): string {
  const change = /\b(?:(INSERT) INTO|(UPDATE)|(DELETE) FROM) ([a-z_]+)/.exec(sql);
  if (change) return `${change[1] ?? change[2] ?? change[3]} ${change[4]}`;
  const [first = ''] = /[A-Z]+/.exec(sql) ?? [];
  // A name before a parenthesis is a function that returns rows, not a table.
  const [, table] = /\b(?:FROM|JOIN)\s+([a-z_]+)\b(?!\s*\()/.exec(sql) ?? [];
  return table === undefined ? first : `SELECT ${table}`;
}
