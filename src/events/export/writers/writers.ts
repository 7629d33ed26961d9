import { csv } from './csv.writer.js';
import type { ExportedEvents } from './exported-event.js';
import { ndjson } from './ndjson.writer.js';
import { parquet } from './parquet.writer.js';

export const EXPORT_FORMATS = ['ndjson', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

interface Writer {
  /** Media type. */
  readonly type: string;
  /** Yields the file in chunks. A writer holds no more events than its next chunk needs. */
  readonly write: (pages: ExportedEvents) => AsyncIterable<string | Uint8Array>;
}

export const WRITERS: Readonly<Record<ExportFormat, Writer>> = {
  ndjson: { type: 'application/x-ndjson', write: ndjson },
  csv: { type: 'text/csv; charset=utf-8', write: csv },
  parquet: { type: 'application/vnd.apache.parquet', write: parquet },
};
