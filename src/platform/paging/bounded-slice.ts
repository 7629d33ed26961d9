import type { SqlStatement } from './keyset-query.js';
import type { Slice, SliceRows } from './page.js';

/** Bytes of the rows of a response, so that none holds the event loop or fills the memory. One row may exceed them. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;

/** Rows of the first statement for a slice. Their size shows how large the others may be. */
const FIRST_CHUNK_SIZE = 128;

/** Rows that were read by one statement. */
export interface Chunk<Row> {
  /** Those that begin within the budget. */
  readonly rows: Row[];
  /** Bytes of these rows. */
  readonly bytes: number;
  /** Whether further rows were found, and left out. */
  readonly hasNext: boolean;
}

/** A slice of rows whose size matters. */
export interface ChunkedSlice<Row> {
  readonly slice: Slice;
  readonly cursorKey: (row: Row) => { timestamp: string; id: string };
  /**
   * Reads the rows of a part of the slice, in their order.
   * @param budget bytes; positive
   */
  readonly read: (part: Slice, budget: number) => Promise<Chunk<Row>>;
}

/**
 * Reads a slice that ends early, before its rows exceed MAX_PAGE_BYTES. A long slice takes two statements, because a server
 * formats all rows of a statement, also those behind the end, which it does not send.
 */
export async function readChunks<Row>({
  slice,
  cursorKey,
  read,
}: ChunkedSlice<Row>): Promise<SliceRows<Row>> {
  const rows: Row[] = [];
  let budget = MAX_PAGE_BYTES;
  let next = { ...slice, limit: Math.min(slice.limit, FIRST_CHUNK_SIZE) };
  for (;;) {
    const chunk = await read(next, budget);
    const last = chunk.rows.at(-1);
    rows.push(...chunk.rows);
    if (!last || chunk.hasNext || chunk.rows.length < next.limit || rows.length === slice.limit)
      return { rows, isCut: chunk.hasNext };
    budget -= chunk.bytes;
    const fitting = Math.max(1, Math.ceil((budget * chunk.rows.length) / Math.max(1, chunk.bytes)));
    next = {
      newestFirst: slice.newestFirst,
      limit: Math.min(slice.limit - rows.length, fitting),
      cursor: { direction: slice.cursor?.direction ?? 'next', ...cursorKey(last) },
    };
    if (budget <= 0) {
      // The last row of the chunk has used the budget up. Only whether there is another row is not known yet.
      const further = await read({ ...next, limit: 1 }, MAX_PAGE_BYTES);
      return { rows, isCut: further.rows.length > 0 };
    }
  }
}

interface Bounds {
  bytes_so_far: string;
  has_next: boolean;
}

/** A slice of rows that PostgreSQL has. */
export interface BoundedSlice<Row> extends Omit<ChunkedSlice<Row>, 'read'> {
  /** Selects the rows of a slice, with an `id`, in their order. */
  readonly select: (slice: Slice) => SqlStatement;
  /** Bytes of a row, as SQL on the selected columns; not null. */
  readonly bytes: string;
  readonly run: <Found>(statement: SqlStatement) => Promise<Found[]>;
}

/** Reads a slice of rows of PostgreSQL, which sends only the rows that fit. */
export function readBoundedSlice<Row>(bounded: BoundedSlice<Row>): Promise<SliceRows<Row>> {
  const { select, bytes, run, ...slice } = bounded;
  return readChunks({
    ...slice,
    read: async (part, budget) => {
      const found = await run<Row & Bounds>(boundedStatement(select(part), bytes, budget));
      const last = found.at(-1);
      return {
        rows: found.map(withoutBounds),
        bytes: Number(last?.bytes_so_far ?? 0),
        hasNext: last?.has_next === true,
      };
    },
  });
}

function boundedStatement({ sql, parameters }: SqlStatement, bytes: string, budget: number): SqlStatement {
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
