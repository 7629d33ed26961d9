import { type Options, stringify } from 'csv-stringify/sync';
import type { ExportedEvents } from './writers.js';

const COLUMNS = ['id', 'application', 'session_id', 'category', 'name', 'data', 'timestamp'];

/** Tells a spreadsheet that this is UTF-8; left to itself it takes another encoding. */
const BOM = '\uFEFF';

/**
 * What a spreadsheet may run as a formula, whether or not it trims blanks first; and the mark itself, so that taking one
 * away from a cell that begins with it always gives the text.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
const DANGEROUS = /^[=+\-@＝＋－＠'\s]/;

/** RFC 4180. */
const OPTIONS: Options = {
  columns: COLUMNS,
  record_delimiter: 'windows',
  // The library quotes only for its own delimiter, but readers take each of these for the end of a line or of a cell.
  quoted_match: /[\r\n;\t]/,
  cast: { string: (text) => (DANGEROUS.test(text) ? `'${text}` : text) },
};

/** A header and an event a row, `data` as JSON. A cell that a spreadsheet might run begins with an apostrophe. */
export async function* csv(pages: ExportedEvents): AsyncGenerator<string> {
  yield `${BOM}${stringify([COLUMNS], OPTIONS)}`;
  for await (const events of pages) if (events.length > 0) yield stringify(events, OPTIONS);
}
