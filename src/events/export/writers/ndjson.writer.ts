import { RawJson } from '../../../platform/json/raw-json.js';
import type { Cell, Column } from '../columns.js';
import type { ExportedEvents } from './exported-events.js';

/** One JSON object a line, whose keys are the names of the columns. */
export async function* ndjson(pages: ExportedEvents, columns: readonly Column[]): AsyncGenerator<string> {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  const toLine = (cells: Cell[]): string =>
    `{${cells.map((cell, index) => `${keys[index]}:${toJson(cell)}`).join(',')}}\n`;
  for await (const rows of pages) yield rows.map(toLine).join('');
}

const toJson = (cell: Cell): string => (cell instanceof RawJson ? cell.text : JSON.stringify(cell));
