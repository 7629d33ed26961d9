const LINE_FEED = 0x0a;

export interface AnswerOptions {
  /** Rows beyond it are cut off. */
  readonly maxRows: number;
  readonly as_of: string;
  readonly rows_read: number | null;
  readonly elapsed_ms: number;
}

/**
 * Makes an answer in the format JSONCompactEachRowWithNamesAndTypes one JSON object. The rows stay as they are: JSON.parse would
 * round long integers, and take time that other requests need.
 * @param lines the names, the types, and the rows
 */
export function toAnswer(lines: Buffer, { maxRows, ...rest }: AnswerOptions): string {
  const [names = '[]', types = '[]', ...rows] = linesOf(lines, maxRows + 3);
  const typeOf = JSON.parse(types) as string[];
  const columns = (JSON.parse(names) as string[]).map((name, index) => ({ name, type: typeOf[index] }));
  const truncated = rows.length > maxRows;
  const shown = truncated ? rows.slice(0, maxRows) : rows;
  const others = JSON.stringify({ truncated, ...rest });
  return `{"columns":${JSON.stringify(columns)},"rows":[${shown.join(',')}],${others.slice(1)}`;
}

function linesOf(text: Buffer, limit: number): string[] {
  const lines: string[] = [];
  for (let start = 0; start < text.length && lines.length < limit;) {
    const end = text.indexOf(LINE_FEED, start);
    const stop = end === -1 ? text.length : end;
    lines.push(text.toString('utf8', start, stop));
    start = stop + 1;
  }
  return lines;
}
