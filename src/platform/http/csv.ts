import { type Options, stringify } from 'csv-stringify/sync';
import { RawJson } from '../json/raw-json.js';

/** Marks the file as UTF-8; without it, spreadsheets assume another encoding. */
export const BYTE_ORDER_MARK = '\uFEFF';

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
 * Rows of CSV: texts as they are, RawJson as its text, and an empty cell for null. An apostrophe precedes a text that a
 * spreadsheet might run.
 */
export const toCsv = (rows: readonly (readonly unknown[])[]): string =>
  stringify(rows as unknown[][], OPTIONS);
