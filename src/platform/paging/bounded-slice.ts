import type { Statement } from './keyset-query.js';
import type { Slice, SliceRows } from './page.js';

/** Bytes of the rows of a response, so that none holds the event loop or fills the memory. One row may exceed them. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** Rows of the first statement for a slice. They tell how large the others may be. */
const FIRST_CHUNK_SIZE = 128;

interface Bounds {
  bytes_so_far: string;
  has_next: boolean;
}

/** A slice of rows whose size matters. */
export interface BoundedSlice<Row> {
  readonly slice: Slice;
  /** Selects the rows of a slice, with an `id`, in their order. */
  readonly select: (slice: Slice) => Statement;
  /** Bytes of a row, as SQL on the selected columns; not null. */
  readonly bytes: string;
  readonly cursorKey: (row: Row) => { timestamp: string; id: string };
  readonly run: <Found>(statement: Statement) => Promise<Found[]>;
}

/**
 * Reads a slice that ends early, before its rows exceed MAX_PAGE_BYTES. A long slice takes two statements, because
 * PostgreSQL formats all rows of a statement, also those behind the end, which it does not send.
 */
export async function readBoundedSlice<Row>(bounded: BoundedSlice<Row>): Promise<SliceRows<Row>> {
  const { slice, select, bytes, cursorKey, run } = bounded;
  const rows: Row[] = [];
  let budget = MAX_PAGE_BYTES;
  let next = { ...slice, limit: Math.min(slice.limit, FIRST_CHUNK_SIZE) };
  for (;;) {
    const found = await run<Row & Bounds>(boundedStatement(select(next), bytes, budget));
    const last = found.at(-1);
    rows.push(...found.map(withoutBounds));
    const isCut = last?.has_next === true;
    if (!last || isCut || found.length < next.limit || rows.length === slice.limit) return { rows, isCut };
    const used = Number(last.bytes_so_far);
    budget -= used;
    const fitting = Math.max(1, Math.ceil((budget * found.length) / Math.max(1, used)));
    next = {
      newestFirst: slice.newestFirst,
      limit: Math.min(slice.limit - rows.length, fitting),
      cursor: { direction: slice.cursor?.direction ?? 'next', ...cursorKey(last) },
    };
  }
}

function boundedStatement({ sql, parameters }: Statement, bytes: string, budget: number): Statement {
  return {
    sql: `SELECT * FROM (
      SELECT *, sum(${bytes}) OVER (ROWS UNBOUNDED PRECEDING) AS bytes_so_far, lead(id) OVER () IS NOT NULL AS has_next
      FROM (${sql}) AS slice
    ) AS slice WHERE bytes_so_far - (${bytes}) < $${parameters.length + 1}`,
    parameters: [...parameters, budget],
  };
}

function withoutBounds<Row>(row: Row & Partial<Bounds>): Row {
  const found = { ...row };
  delete found.bytes_so_far;
  delete found.has_next;
  return found;
}
