import type { Cursor } from '../../platform/paging/cursor.js';
import type { Slice, SliceRows } from '../../platform/paging/page.js';
import type { StoredEventText } from '../../platform/model/event.js';
import type { ExportedEvent } from './writers/exported-event.js';

/** A short first page, so that the response begins soon. */
const FIRST_PAGE_SIZE = 100;

/** Larger pages are not faster. */
const MAX_PAGE_SIZE = 1000;

/** Characters of `data` that a page should not exceed, estimated from the page before. */
const MAX_PAGE_CHARACTERS = 1024 * 1024;

/**
 * Yields the matching events in their order, a page at a time. It reads the next page while the consumer uses this one.
 * @param find reads a slice of the matching events
 * @throws DatabaseUnavailableError
 */
export async function* eventPages(
  find: (slice: Slice) => Promise<SliceRows<StoredEventText>>,
  newestFirst: boolean,
): AsyncGenerator<ExportedEvent[]> {
  const read = (limit: number, cursor?: Cursor): Promise<SliceRows<StoredEventText>> => {
    const rows = find({ newestFirst, limit, cursor });
    // It is awaited later, or never: until then, a rejection must not count as unhandled.
    rows.catch(() => undefined);
    return rows;
  };
  let limit = FIRST_PAGE_SIZE;
  let next = read(limit);
  for (;;) {
    const { rows, isCut } = await next;
    // Compact, as the events were sent.
    const events = rows.map((row) => ({ ...row, data: JSON.stringify(JSON.parse(row.data)) }));
    const last = isCut || rows.length === limit ? rows.at(-1) : undefined;
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
