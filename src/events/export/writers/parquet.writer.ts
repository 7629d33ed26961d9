import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ExportedEvent, ExportedEvents } from './exported-event.js';

/** Rows of a row group. They stay in memory until the group is full, and encoding them blocks the event loop. */
const MAX_GROUP_ROWS = 10_000;

/** Characters of `data` in a row group; the last page of a group may exceed it. */
const MAX_GROUP_CHARACTERS = 8 * 1024 * 1024;

type Schema = ConstructorParameters<typeof ParquetWriter>[0]['schema'];

const TEXTS = ['id', 'application', 'session_id', 'category', 'name'] as const;

const SCHEMA: Schema = [
  { name: 'event', num_children: TEXTS.length + 2 },
  ...TEXTS.map((name): Schema[number] => ({
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: 'REQUIRED',
  })),
  {
    name: 'data',
    type: 'BYTE_ARRAY',
    converted_type: 'JSON',
    logical_type: { type: 'JSON' },
    repetition_type: 'REQUIRED',
  },
  {
    name: 'timestamp',
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
    repetition_type: 'REQUIRED',
  },
];

/**
 * The schema while rows are written. In a JSON column the library would stringify each value, but `data` is JSON text
 * already, so it is written as bytes. The footer gets SCHEMA.
 */
const WRITE_SCHEMA = SCHEMA.map((element) =>
  element.converted_type === 'JSON' ? { ...element, converted_type: undefined } : element,
);

/** Typed columns. Each row group is written when it is full; only its offsets stay in memory, for the footer. */
export async function* parquet(pages: ExportedEvents): AsyncGenerator<Uint8Array> {
  const output = new ChunkedWriter();
  const file = new ParquetWriter({ writer: output, schema: WRITE_SCHEMA, createdBy: 'The Eye' });
  yield output.takeChunk();
  for await (const group of rowGroups(pages)) {
    void file.write({ columnData: columnsOf(group), rowGroupSize: group.length });
    yield output.takeChunk();
  }
  file.schema = SCHEMA;
  void file.finish();
  yield output.takeChunk();
}

async function* rowGroups(pages: ExportedEvents): AsyncGenerator<ExportedEvent[]> {
  let group: ExportedEvent[] = [];
  let characters = 0;
  for await (const events of pages) {
    group.push(...events);
    characters += events.reduce((sum, { data }) => sum + data.length, 0);
    if (group.length < MAX_GROUP_ROWS && characters < MAX_GROUP_CHARACTERS) continue;
    yield group;
    group = [];
    characters = 0;
  }
  if (group.length > 0) yield group;
}

type Columns = Parameters<ParquetWriter['write']>[0]['columnData'];

function columnsOf(events: ExportedEvent[]): Columns {
  const columns: Columns = [
    ...TEXTS.map((name) => ({ name, data: events.map((event) => event[name]) })),
    // The minimum and maximum of JSON texts do not help readers to skip row groups.
    { name: 'data', data: events.map(({ data }) => Buffer.from(data)), statistics: false },
    { name: 'timestamp', data: events.map(({ timestamp }) => toMicroseconds(timestamp)) },
  ];
  // Without page offsets, which would stay in memory for the footer: a row group rarely has more than one page.
  return columns.map((column) => ({ ...column, offsetIndex: false }));
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
