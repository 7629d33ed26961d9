import type { StoredEvent } from '../../../platform/model/event.js';

/** An event as the writers take it. */
export interface ExportedEvent extends Omit<StoredEvent, 'data'> {
  /** Compact JSON. */
  data: string;
}

/** Events in the order of the file, a page at a time. */
export type ExportedEvents = AsyncIterable<ExportedEvent[]>;
