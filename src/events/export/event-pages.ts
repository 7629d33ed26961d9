import { environment } from '../../platform/config/environment.js';
import type { Cursor } from '../../platform/paging/cursor.js';
import type { EventFilter, StoredEvent } from '../../platform/model/event.js';
import type { EventsRepository } from '../events.repository.js';
import type { ExportedEvent } from './writers/exported-event.js';

/** A short first page, so that the response begins soon. */
const FIRST_PAGE_SIZE = 100;

/** Larger pages are not faster. */
const MAX_PAGE_SIZE = 1000;

/** Characters of `data` that a page should not exceed, estimated from the page before. */
const MAX_PAGE_CHARACTERS = 1024 * 1024;

/**
 * Yields the matching events in their order, a page at a time. It reads the next page while the consumer uses this one.
 * @param signal cancels the statement under way
 * @throws DatabaseUnavailableError
 */
export async function* eventPages(
  repository: EventsRepository,
  filter: EventFilter,
  newestFirst: boolean,
  signal: AbortSignal,
): AsyncGenerator<ExportedEvent[]> {
  const read = (limit: number, cursor?: Cursor): Promise<StoredEvent[]> => {
    const slice = { newestFirst, limit, cursor };
    // A filter that matches few events may scan many rows for one page, hence the longer timeout.
    const rows = repository.find(filter, slice, { timeoutMs: environment.REQUEST_TIMEOUT, signal });
    // It is awaited later, or never: until then, a rejection must not count as unhandled.
    rows.catch(() => undefined);
    return rows;
  };
  let limit = FIRST_PAGE_SIZE;
  let next = read(limit);
  for (;;) {
    const rows = await next;
    const events = rows.map((row) => ({ ...row, data: JSON.stringify(row.data) }));
    const last = rows.length === limit ? rows.at(-1) : undefined;
    if (last) {
      limit = nextPageSize(events);
      next = read(limit, { direction: 'next', timestamp: last.timestamp, id: last.id });
    }
    yield events;
    if (!last) return;
  }
}

function nextPageSize(events: ExportedEvent[]): number {
  const characters = events.reduce((sum, { data }) => sum + data.length, 0);
  const fitting = Math.floor((MAX_PAGE_CHARACTERS * events.length) / characters);
  return Math.max(1, Math.min(MAX_PAGE_SIZE, fitting));
}
