import { InvalidParametersError } from '../errors/domain-error.js';
import { type Cursor, CursorError, decodeCursor, encodeCursor } from './cursor.js';
import { DEFAULT_PAGE_SIZE, MAX_OFFSET, type PageQuery } from './parameters.js';

export interface Page<Row> {
  count: number;
  isEstimate: boolean;
  /** Cursors of the neighbouring pages; null if there is none. */
  next: string | null;
  previous: string | null;
  results: Row[];
  /** If the rows come from the copy: every event that was stored until then is among them. */
  asOf?: string;
}

/** A part of the matching rows: it begins at a cursor or after a number of rows. */
export interface Slice {
  newestFirst: boolean;
  limit: number;
  cursor?: Cursor;
  offset?: number;
}

/** The rows of a slice. */
export interface SliceRows<Row> {
  rows: Row[];
  /** True if further rows of the slice were left out, because the rows are large. */
  isCut: boolean;
}

/** How many rows match, exactly or as an estimate. */
export interface Count {
  count: number;
  isEstimate: boolean;
}

/** The parameter `page` skips more than MAX_OFFSET rows. */
export class PageTooDeepError extends InvalidParametersError {
  constructor() {
    const limit = MAX_OFFSET.toLocaleString('en');
    super({ page: [`May skip at most ${limit} rows; follow \`next\` to go further.`] });
  }
}

/** A page by its number holds so large rows that it would have to end early, and the next page would not continue there. */
export class PageTooLargeError extends InvalidParametersError {
  constructor(size: number) {
    super({
      page_size: [
        `The rows of this page are too large for one response; use a page_size of at most ${size}, or follow \`next\` ` +
          'without `page`.',
      ],
    });
  }
}

/** A list that can be read page by page. */
export interface PagedList<Row> {
  newestFirst: boolean;
  /** The filters and the ordering, always formatted the same way; cursors are valid for this query only. */
  query: string;
  cursorKey: (row: Row) => { timestamp: string; id: string };
  /** A slice of the matching rows in the list's order, or in the opposite order for a cursor to `previous`. */
  find: (slice: Slice) => Promise<SliceRows<Row>>;
  count: () => Promise<Count>;
  /** Whether to count while the rows are read, not after that: where most lists have several pages, and counting takes as long. */
  countsMeanwhile?: boolean;
}

/**
 * Reads one page of a list.
 * @throws CursorError, PageTooDeepError, PageTooLargeError
 */
export async function readPage<Row>(list: PagedList<Row>, parameters: PageQuery): Promise<Page<Row>> {
  const { newestFirst, query } = list;
  const size = parameters.page_size ?? DEFAULT_PAGE_SIZE;
  const offset = ((parameters.page ?? 1) - 1) * size;
  if (offset > MAX_OFFSET) throw new PageTooDeepError();
  const cursor = parameters.cursor === undefined ? undefined : decodeCursor(parameters.cursor, query);
  if (cursor && parameters.page !== undefined)
    throw new CursorError('`cursor` and `page` cannot be combined.');

  // One row more than the page shows whether there are more.
  const [{ rows, isCut }, countedMeanwhile] = await Promise.all([
    list.find({ newestFirst, limit: size + 1, cursor, offset }),
    list.countsMeanwhile ? list.count() : undefined,
  ]);
  const hasMore = rows.length > size || isCut;
  if (isCut && rows.length < size && parameters.page !== undefined) throw new PageTooLargeError(rows.length);
  // The position of the last page is the count.
  const isLast = !hasMore && cursor === undefined && (offset === 0 || rows.length > 0);
  const counted = isLast ? undefined : (countedMeanwhile ?? (await list.count()));
  // Others may have been removed since, or be so few that an estimate misses them.
  const count = Math.max(counted?.count ?? 0, rows.length === 0 ? 0 : offset + rows.length);
  const results = rows.slice(0, size);
  const isBackwards = cursor?.direction === 'previous';
  if (isBackwards) results.reverse();

  const cursorFor = (direction: Cursor['direction'], row: Row | undefined): string | null =>
    row ? encodeCursor({ direction, ...list.cursorKey(row) }, query) : null;
  const hasNext = isBackwards || hasMore;
  const hasPrevious = isBackwards ? hasMore : cursor !== undefined || offset > 0;
  return {
    count,
    isEstimate: counted?.isEstimate ?? false,
    next: hasNext ? cursorFor('next', results.at(-1)) : null,
    previous: hasPrevious ? cursorFor('previous', results[0]) : null,
    results,
  };
}
