import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import { yieldToEventLoop } from '../../../platform/async/yield-to-event-loop.js';
import { RawJson } from '../../../platform/json/raw-json.js';
import { type Cell, type Column, cellText } from '../columns.js';
import type { ExportedEvents } from './exported-events.js';

/** Rows of a row group. They stay in memory until the group is full, and encoding them blocks the event loop. */
const MAX_GROUP_ROWS = 10_000;

/** Characters of texts and JSON in a row group; its last row may exceed it. They are encoded in about 20 ms. */
const MAX_GROUP_CHARACTERS = 2 * 1024 * 1024;

/** The part of these that the first row group has, and by how much the next one is larger: V8 has to compile the encoder first. */
const FIRST_GROUP = 1 / 32;
const GROUP_GROWTH = 2;

type Element = ConstructorParameters<typeof ParquetWriter>[0]['schema'][number];

const TEXT = {
  type: 'BYTE_ARRAY',
  converted_type: 'UTF8',
  logical_type: { type: 'STRING' },
} as const;

const JSON_TEXT = { type: 'BYTE_ARRAY', converted_type: 'JSON', logical_type: { type: 'JSON' } } as const;

const TIMESTAMP = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MICROS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
} as const;

/** Texts, but for the payload and the timestamp. A property may have values of several types, and no value. */
function elementOf(column: Column): Element {
  const { name } = column;
  if ('path' in column) return { name, ...TEXT, repetition_type: 'OPTIONAL' };
  const type = { data: JSON_TEXT, timestamp: TIMESTAMP }[column.field as string] ?? TEXT;
  return { name, ...type, repetition_type: 'REQUIRED' };
}

/**
 * The schema while rows are written. In a JSON column the library would stringify each value, but `data` is JSON text
 * already, so it is written as bytes. The footer gets the other one.
 */
const toWriteElement = (element: Element): Element =>
  element.converted_type === 'JSON' ? { ...element, converted_type: undefined } : element;

/** Each row group is written when it is full; only its offsets stay in memory, for the footer. */
export async function* parquet(
  pages: ExportedEvents,
  columns: readonly Column[],
): AsyncGenerator<Uint8Array> {
  const output = new ChunkedWriter();
  const schema = [{ name: 'event', num_children: columns.length }, ...columns.map(elementOf)];
  const file = new ParquetWriter({
    writer: output,
    schema: schema.map(toWriteElement),
    createdBy: 'The Eye',
  });
  yield output.takeChunk();
  for await (const group of rowGroups(pages)) {
    // What was done to read the rows, and to encode the group before, held the event loop as well.
    await yieldToEventLoop();
    void file.write({ columnData: columnDataOf(group, columns), rowGroupSize: group.length });
    yield output.takeChunk();
  }
  file.schema = schema;
  void file.finish();
  yield output.takeChunk();
}

async function* rowGroups(pages: ExportedEvents): AsyncGenerator<Cell[][]> {
  let group: Cell[][] = [];
  let characters = 0;
  let size = FIRST_GROUP;
  for await (const rows of pages) {
    for (const row of rows) {
      group.push(row);
      for (const cell of row) characters += lengthOf(cell);
      if (group.length < size * MAX_GROUP_ROWS && characters < size * MAX_GROUP_CHARACTERS) continue;
      yield group;
      group = [];
      characters = 0;
      size = Math.min(1, size * GROUP_GROWTH);
    }
  }
  if (group.length > 0) yield group;
}

function lengthOf(cell: Cell): number {
  if (typeof cell === 'string') return cell.length;
  return cell instanceof RawJson ? cell.text.length : 0;
}

type ColumnData = Parameters<ParquetWriter['write']>[0]['columnData'];

function columnDataOf(rows: Cell[][], columns: readonly Column[]): ColumnData {
  return columns.map((column, index) => {
    const { name } = column;
    const texts = rows.map((cells) => cellText(cells[index] ?? null));
    // Without page offsets, which would stay in memory for the footer: a row group rarely has more than one page.
    const source = { name, offsetIndex: false };
    if ('path' in column) return { ...source, data: texts };
    if (column.field === 'timestamp')
      return { ...source, data: texts.map((text) => toMicroseconds(text ?? '')) };
    // The minimum and maximum of JSON texts do not help readers to skip row groups.
    if (column.field === 'data')
      return { ...source, data: texts.map((text) => Buffer.from(text ?? '')), statistics: false };
    return { ...source, data: texts };
  });
}

/** Microseconds since 1970. They exceed the safe integers from the year 2255 on. */
function toMicroseconds(timestamp: string): bigint {
  return BigInt(Date.parse(`${timestamp.slice(0, 23)}Z`)) * 1000n + BigInt(timestamp.slice(23, 26));
}

/** A writer whose bytes are taken away while it writes; its offset continues to count them. */
class ChunkedWriter extends ByteWriter {
  takeChunk(): Uint8Array {
    const chunk = this.getBytes().slice();
    this.index = 0;
    return chunk;
  }
}
