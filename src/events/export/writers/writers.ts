import { ALL_FIELDS, type Column, SENT_FIELDS } from '../columns.js';
import { csv } from './csv.writer.js';
import type { ExportedEvents } from './exported-events.js';
import { ndjson } from './ndjson.writer.js';
import { parquet } from './parquet.writer.js';

export const EXPORT_FORMATS = ['ndjson', 'csv', 'parquet'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

interface Writer {
  /** Media type. */
  readonly type: string;
  /** The columns of a file for which none are chosen. */
  readonly columns: readonly Column[];
  /** Yields the file in chunks. A writer holds no more events than its next chunk needs. */
  readonly write: (pages: ExportedEvents, columns: readonly Column[]) => AsyncIterable<string | Uint8Array>;
}

export const WRITERS: Readonly<Record<ExportFormat, Writer>> = {
  // From the same application, a line that is sent again does not make a new event.
  ndjson: { type: 'application/x-ndjson', columns: SENT_FIELDS, write: ndjson },
  csv: { type: 'text/csv; charset=utf-8', columns: ALL_FIELDS, write: csv },
  parquet: { type: 'application/vnd.apache.parquet', columns: ALL_FIELDS, write: parquet },
};
