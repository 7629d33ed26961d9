import { type Options, stringify } from 'csv-stringify/sync';
import type { ExportedEvents } from './exported-event.js';

const COLUMNS = ['id', 'application', 'session_id', 'category', 'name', 'data', 'timestamp'];

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
  columns: COLUMNS,
  record_delimiter: 'windows',
  // The library quotes only its own delimiters, but some readers end a line or a cell at any of these.
  quoted_match: /[\r\n;\t]/,
  cast: { string: (text) => (FORMULA_START.test(text) ? `'${text}` : text) },
};

/** A header, and one row an event with `data` as JSON. An apostrophe precedes what a spreadsheet might run. */
export async function* csv(pages: ExportedEvents): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${stringify([COLUMNS], OPTIONS)}`;
  for await (const events of pages) if (events.length > 0) yield stringify(events, OPTIONS);
}
