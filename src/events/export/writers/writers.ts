import type { StoredEvent } from '../../events.repository.js';
import { csv } from './csv.writer.js';
import { ndjson } from './ndjson.writer.js';
import { parquet } from './parquet.writer.js';

/** An event as the formats write it. */
export interface ExportedEvent extends Omit<StoredEvent, 'data'> {
  /** Compact JSON. */
  data: string;
}

/** Events in their order, many at a time. */
export type ExportedEvents = AsyncIterable<ExportedEvent[]>;

export const FORMATS = ['ndjson', 'csv', 'parquet'] as const;
export type Format = (typeof FORMATS)[number];

interface Writer {
  /** Media type. */
  readonly type: string;
  /** The file, piece by piece; it holds no more than what it is about to write. */
  readonly write: (events: ExportedEvents) => AsyncIterable<string | Uint8Array>;
}

export const WRITERS: Readonly<Record<Format, Writer>> = {
  ndjson: { type: 'application/x-ndjson', write: ndjson },
  csv: { type: 'text/csv; charset=utf-8', write: csv },
  parquet: { type: 'application/vnd.apache.parquet', write: parquet },
};
