import type { Cursor } from '../../platform/paging/cursor.js';
import type { Slice, SliceRows } from '../../platform/paging/page.js';
import type { StoredEventText } from '../../platform/model/event.js';

/** A short first page, so that the response begins soon. */
const FIRST_PAGE_SIZE = 100;

/** Characters of `data` that a page should not exceed, estimated from the page before. */
const MAX_PAGE_CHARACTERS = 1024 * 1024;

/** How pages of events are read. */
export interface EventPagesOptions {
  /** Reads a slice of the matching events. */
  readonly find: (slice: Slice) => Promise<SliceRows<StoredEventText>>;
  readonly newestFirst: boolean;
  /** Events of a page beyond which it does not get faster. */
  readonly maxPageSize: number;
}

/**
 * Yields the matching events in their order, a page at a time. It reads the next page while the consumer uses this one.
 * @throws DatabaseUnavailableError, ClickHouseUnavailableError, QuestionTooLargeError
 */
export async function* eventPages({
  find,
  newestFirst,
  maxPageSize,
}: EventPagesOptions): AsyncGenerator<StoredEventText[]> {
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
    const last = isCut || rows.length === limit ? rows.at(-1) : undefined;
    if (last) {
      limit = nextPageSize(rows, maxPageSize);
      next = read(limit, { direction: 'next', timestamp: last.timestamp, id: last.id });
    }
    yield rows;
    if (!last) return;
  }
}

function nextPageSize(events: readonly StoredEventText[], maxPageSize: number): number {
  const characters = events.reduce((sum, { data }) => sum + data.length, 0);
  const fitting = Math.floor((MAX_PAGE_CHARACTERS * events.length) / characters);
  return Math.max(1, Math.min(maxPageSize, fitting));
}
