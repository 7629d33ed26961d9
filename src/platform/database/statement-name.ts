/**
 * What a statement does, in a word or two that are the same for all of its kind: `INSERT events`, `SELECT rejections`.
 * Tables are few, so these names are, too. Where none is found, the first word.
 */
export function statementName(sql: string): string {
  const change = /\b(?:(INSERT) INTO|(UPDATE)|(DELETE) FROM) ([a-z_]+)/.exec(sql);
  if (change) return `${change[1] ?? change[2] ?? change[3]} ${change[4]}`;
  const [first = ''] = /[A-Z]+/.exec(sql) ?? [];
  // What has an argument is a function that makes up rows.
  const [, table] = /\b(?:FROM|JOIN)\s+([a-z_]+)\b(?!\s*\()/.exec(sql) ?? [];
  return table === undefined ? first : `SELECT ${table}`;
}
