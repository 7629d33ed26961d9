import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ExportedEvent, ExportedEvents } from './writers.js';

/** Rows of a row group at the most: they wait in memory, and encoding them holds up everything else. */
const ROWS = 10_000;

/** Characters of `data` in a row group, about, at the most. */
const CHARACTERS = 8 * 1024 * 1024;

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

/** For a column of JSON the library would make texts of values; these are texts already, which it takes as bytes. */
const SCHEMA_OF_BYTES = SCHEMA.map((element) =>
  element.converted_type === 'JSON' ? { ...element, converted_type: undefined } : element,
);

/** Typed columns in row groups, each written as soon as it is full; only their places stay in memory, for the footer. */
export async function* parquet(pages: ExportedEvents): AsyncGenerator<Uint8Array> {
  const bytes = new Bytes();
  const file = new ParquetWriter({ writer: bytes, schema: SCHEMA_OF_BYTES, createdBy: 'The Eye' });
  yield bytes.take();
  for await (const group of rowGroups(pages)) {
    void file.write({ columnData: columnsOf(group), rowGroupSize: group.length });
    yield bytes.take();
  }
  file.schema = SCHEMA;
  void file.finish();
  yield bytes.take();
}

async function* rowGroups(pages: ExportedEvents): AsyncGenerator<ExportedEvent[]> {
  let group: ExportedEvent[] = [];
  let characters = 0;
  for await (const events of pages) {
    group.push(...events);
    characters += events.reduce((sum, { data }) => sum + data.length, 0);
    if (group.length < ROWS && characters < CHARACTERS) continue;
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
    // The least and the greatest JSON text help nobody to skip a row group.
    { name: 'data', data: events.map(({ data }) => Buffer.from(data)), statistics: false },
    { name: 'timestamp', data: events.map(({ timestamp }) => microseconds(timestamp)) },
  ];
  // Places of single pages: they would wait in memory for the footer, and a row group has hardly more than one.
  return columns.map((column) => ({ ...column, offsetIndex: false }));
}

/** Since 1970; a number would not hold those of the year 2300. */
function microseconds(timestamp: string): bigint {
  return BigInt(Date.parse(`${timestamp.slice(0, 23)}Z`)) * 1000n + BigInt(timestamp.slice(23, 26));
}

/** Gives its bytes away as they come, and goes on counting them. */
class Bytes extends ByteWriter {
  take(): Uint8Array {
    const taken = this.getBytes().slice();
    this.index = 0;
    return taken;
  }
}
