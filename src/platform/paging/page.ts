import { type Cursor, CursorError, decodeCursor, encodeCursor } from './cursor.js';
import { MAX_OFFSET, DEFAULT_PAGE_SIZE, type PageQuery } from './parameters.js';

export interface Page<Row> {
  count: number;
  isEstimate: boolean;
  /** Cursors of the pages beside this one, where there are any. */
  next: string | null;
  previous: string | null;
  results: Row[];
}

/** Which part of the matching rows: from a place in the list, or a number of rows into it. */
export interface Slice {
  newestFirst: boolean;
  limit: number;
  cursor?: Cursor;
  offset?: number;
}

/** How many rows match, exactly or by an estimate. */
export interface Count {
  count: number;
  isEstimate: boolean;
}

/** The page lies deeper than `page` reaches. */
export class PageTooDeepError extends Error {}

/** A list that is read in pages. */
export interface PagedList<Row> {
  newestFirst: boolean;
  /** What the list is asked for, in any fixed spelling; cursors belong to it. */
  query: string;
  cursorKey: (row: Row) => { timestamp: string; id: string };
  /** A slice of the matching rows in their order; for a cursor to `previous`, in the opposite order. */
  find: (slice: Slice) => Promise<Row[]>;
  count: () => Promise<Count>;
}

/**
 * Reads one page of a list.
 * @throws CursorError, PageTooDeepError
 */
export async function readPage<Row>(list: PagedList<Row>, asked: PageQuery): Promise<Page<Row>> {
  const { newestFirst, query } = list;
  const size = asked.page_size ?? DEFAULT_PAGE_SIZE;
  const offset = ((asked.page ?? 1) - 1) * size;
  if (offset > MAX_OFFSET) throw new PageTooDeepError();
  const cursor = asked.cursor === undefined ? undefined : decodeCursor(asked.cursor, query);
  if (cursor && asked.page !== undefined) throw new CursorError('A cursor and a page exclude each other.');

  // One row more than the page tells whether the list goes on.
  const [rows, counted] = await Promise.all([
    list.find({ newestFirst, limit: size + 1, cursor, offset }),
    list.count(),
  ]);
  const goesOn = rows.length > size;
  // Rows may come between the two looks. Where the list is seen to end, the page is its own count, and agrees with it.
  const endsHere = !goesOn && cursor === undefined && (offset === 0 || rows.length > 0);
  const { count, isEstimate } = endsHere ? { count: offset + rows.length, isEstimate: false } : counted;
  const results = rows.slice(0, size);
  const backwards = cursor?.direction === 'previous';
  if (backwards) results.reverse();

  const beside = (direction: Cursor['direction'], row: Row | undefined): string | null =>
    row ? encodeCursor({ direction, ...list.cursorKey(row) }, query) : null;
  const hasNext = backwards || goesOn;
  const hasPrevious = backwards ? goesOn : cursor !== undefined || offset > 0;
  return {
    count,
    isEstimate,
    next: hasNext ? beside('next', results.at(-1)) : null,
    previous: hasPrevious ? beside('previous', results[0]) : null,
    results,
  };
}
