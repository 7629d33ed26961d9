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

export interface AnswerColumn {
  readonly name: string;
  readonly type: string;
}

/** What a query has found. */
export interface Answer {
  readonly columns: readonly AnswerColumn[];
  /** JSON arrays, as ClickHouse has written them: JSON.parse would round long integers, and take time that other requests need. */
  readonly rows: readonly string[];
  readonly truncated: boolean;
  readonly as_of: string;
  readonly rows_read: number | null;
  readonly elapsed_ms: number;
}

interface Statistics {
  readonly statistics: { readonly elapsed: number; readonly rows_read: number };
}

/** @param text in the format JSONCompact */
export function parseAnswer(text: string, { maxRows, as_of, showsRowsRead }: AnswerOptions): Answer {
  const start = text.indexOf(ROWS_START);
  const end = text.lastIndexOf(ROWS_END);
  const { meta } = JSON.parse(`${text.slice(0, start).replace(/,\s*$/, '')}}`) as { meta: AnswerColumn[] };
  const { statistics } = JSON.parse(`{${text.slice(end + ROWS_END.length)}`) as Statistics;
  const rows = rowsOf(text.slice(start + ROWS_START.length, Math.max(end, start + ROWS_START.length)));
  return {
    columns: meta,
    rows: rows.slice(0, maxRows),
    truncated: rows.length > maxRows,
    as_of,
    rows_read: showsRowsRead ? statistics.rows_read : null,
    elapsed_ms: Math.round(statistics.elapsed * 1000),
  };
}

/** Lines with a comma at the end of all but the last. */
function rowsOf(lines: string): string[] {
  if (lines.trim() === '') return [];
  return lines.split('\n').map((line) => line.trim().replace(/,$/, ''));
}
