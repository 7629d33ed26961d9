import { BYTE_ORDER_MARK, toCsv } from '../../../platform/http/csv.js';
import type { Column } from '../columns.js';
import type { ExportedEvents } from './exported-events.js';

/**
 * A header, and one row an event: texts as they are, other values as JSON, and an empty cell for none. An apostrophe
 * precedes a text that a spreadsheet might run.
 */
export async function* csv(pages: ExportedEvents, columns: readonly Column[]): AsyncGenerator<string> {
  yield `${BYTE_ORDER_MARK}${toCsv([columns.map(({ name }) => name)])}`;
  for await (const rows of pages) if (rows.length > 0) yield toCsv(rows);
}
