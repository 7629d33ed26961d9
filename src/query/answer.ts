/** Where the rows begin and end in the format JSONCompact, in which each stands on a line of its own. */
const ROWS_START = '\n\t"data":\n\t[\n';
const ROWS_END = '\n\t],\n';

export interface AnswerOptions {
  /** Rows beyond it are cut off. */
  readonly maxRows: number;
  readonly as_of: string;
  /** Whether to say how many rows were read. */
  readonly showsRowsRead: boolean;
}

interface Meta {
  readonly meta: readonly { readonly name: string; readonly type: string }[];
}

interface Statistics {
  readonly statistics: { readonly elapsed: number; readonly rows_read: number };
}

/**
 * Makes a QueryResponse, as JSON, of an answer in the format JSONCompact. The rows stay as they are: JSON.parse would round long
 * integers, and take time that other requests need.
 */
export function toAnswer(text: string, { maxRows, as_of, showsRowsRead }: AnswerOptions): string {
  const start = text.indexOf(ROWS_START);
  const end = text.lastIndexOf(ROWS_END);
  const { meta } = JSON.parse(`${text.slice(0, start).replace(/,\s*$/, '')}}`) as Meta;
  const { statistics } = JSON.parse(`{${text.slice(end + ROWS_END.length)}`) as Statistics;
  const rows = rowsOf(text.slice(start + ROWS_START.length, Math.max(end, start + ROWS_START.length)));
  const others = {
    truncated: rows.length > maxRows,
    as_of,
    rows_read: showsRowsRead ? statistics.rows_read : null,
    elapsed_ms: Math.round(statistics.elapsed * 1000),
  };
  const shown = rows.slice(0, maxRows).join(',');
  return `{"columns":${JSON.stringify(meta)},"rows":[${shown}],${JSON.stringify(others).slice(1)}`;
}

/** Lines with a comma at the end of all but the last. */
function rowsOf(lines: string): string[] {
  if (lines.trim() === '') return [];
  return lines.split('\n').map((line) => line.trim().replace(/,$/, ''));
}
