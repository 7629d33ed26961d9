import type { Cell } from '../columns.js';

/** The cells of events in the order of the file, a page at a time. */
export type ExportedEvents = AsyncIterable<Cell[][]>;
