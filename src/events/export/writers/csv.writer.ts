import { type Options, stringify } from 'csv-stringify/sync';
import { RawJson } from '../../../platform/json/raw-json.js';
import type { Cell, Column } from '../columns.js';
import type { ExportedEvents } from './exported-events.js';

/** Marks the file as UTF-8; without it, spreadsheets assume another encoding. */
const BYTE_ORDER_MARK = '\uFEFF';

/**
 * The beginning of a cell that a spreadsheet may run as a formula, whether or not it trims white space first. The
 * apostrophe is among them, so that removing one apostrophe from a cell that begins with it always restores the text.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA_START = /^[=+\-@＝＋－＠'\s]/;

/** RFC 4180. */
const OPTIONS: Options = {
  record_delimiter: 'windows',
  // The library quotes only its own delimiters, but some readers end a line or a cell at any of these.
  quoted_match: /[\r\n;\t]/,
  cast: {
    string: (text) => (FORMULA_START.test(text) ? `'${text}` : text),
    boolean: String,
    object: (json) => (json instanceof RawJson ? json.text : ''),
  },
};

/**
 * A header, and one row an event: texts as they are, other values as JSON, and an empty cell for none. An apostrophe
 * precedes a text that a spreadsheet might run.
 */
export async function* csv(pages: ExportedEvents, columns: readonly Column[]): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${toCsv([columns.map(({ name }) => name)])}`;
  for await (const rows of pages) if (rows.length > 0) yield toCsv(rows);
}

const toCsv = (rows: Cell[][]): string => stringify(rows, OPTIONS);
