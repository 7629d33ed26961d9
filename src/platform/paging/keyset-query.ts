import type { Cursor } from './cursor.js';
import type { Count, Slice } from './page.js';

type Values = Record<string, string | undefined>;

/** The rows of a table that match filters and lie in a range of time, in the order of (time, id). */
export interface KeysetQuery {
  table: string;
  /** The column that orders the rows, before `id`. */
  orderColumn: string;
  /** Equality filters on the leading columns of an index that ends in (time, id), in the order of that index. */
  equality: Values;
  /** Equality filters that are checked row by row. */
  residual: Values;
  /** Canonical timestamps, both inclusive. */
  after: string | undefined;
  before: string | undefined;
}

/** Above this number, `count` is an estimate, because an exact count reads one index entry a row. */
export const MAX_EXACT_COUNT = 10_000;

export interface SqlStatement {
  sql: string;
  parameters: unknown[];
}

export type RunQuery = <Row>(sql: string, parameters: unknown[]) => Promise<Row[]>;

/** Whether a slice is read from its newest row on. A cursor to `previous` is read against the order of the list. */
export const isDescending = ({ newestFirst, cursor }: Slice): boolean =>
  newestFirst !== (cursor?.direction === 'previous');

/** Selects a slice of the rows in the order of the list, or in the opposite order for a cursor to `previous`. */
export function selectSlice(columns: string, query: KeysetQuery, slice: Slice): SqlStatement {
  const { cursor, limit, offset = 0 } = slice;
  const descending = isDescending(slice);
  const builder = new KeysetBuilder(query, cursor && { operator: descending ? '<' : '>', key: cursor });
  const order = builder.orderBy(descending ? 'DESC' : 'ASC');
  const sql = `SELECT ${columns} FROM ${query.table} ${where(...builder.bounds, ...builder.filters)} ${order}
     LIMIT ${builder.parameter(limit)} OFFSET ${builder.parameter(offset)}`;
  return { sql, parameters: builder.parameters };
}

/** Counts the rows: exactly up to MAX_EXACT_COUNT, and beyond by the planner's estimate, so that no table is scanned. */
export async function countRows(run: RunQuery, query: KeysetQuery): Promise<Count> {
  const { table } = query;
  const builder = new KeysetBuilder(query);
  const [counted] = await run<{ count: number }>(
    `SELECT count(*)::int AS count
     FROM (SELECT 1 FROM ${table} ${where(...builder.bounds, ...builder.filters)} ${builder.orderBy('DESC')} LIMIT ${MAX_EXACT_COUNT + 1}) AS matching`,
    builder.parameters,
  );
  const count = counted?.count ?? 0;
  if (count <= MAX_EXACT_COUNT) return { count, isEstimate: false };
  return { count: Math.max(await estimateRows(run, query), count), isEstimate: true };
}

/** Estimates the number of rows by the planner's statistics. */
export async function estimateRows(run: RunQuery, query: KeysetQuery): Promise<number> {
  const { conditions, parameters } = plainConditions(query);
  const [explained] = await run<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${query.table} WHERE ${conditions}`,
    parameters,
  );
  return explained?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

/**
 * Builds conditions and an order that read one range of one index: the equality columns, then time and id.
 *
 * Equality is written as the two bounds of a range of whole index rows, and the order names the equality columns too. With
 * plain equality the planner may read the index on time instead and discard what does not match. It does so for a
 * frequent category, and then reads the whole table if that category has not occurred for a while.
 */
class KeysetBuilder {
  readonly parameters: unknown[] = [];
  /** Conditions that limit the range of the index. */
  readonly bounds: string[];
  /** Conditions that are checked row by row. */
  readonly filters: string[];
  private readonly equality: Record<string, string>;

  /** @param start the key to start after: towards older rows with `<`, towards newer ones with `>` */
  constructor(
    private readonly query: KeysetQuery,
    start?: { operator: '<' | '>'; key: Pick<Cursor, 'timestamp' | 'id'> },
  ) {
    const { orderColumn, after, before } = query;
    this.equality = this.placeholders(query.equality);
    this.filters = Object.entries(this.placeholders(query.residual)).map(
      ([column, value]) => `${column} = ${value}`,
    );
    // One condition a bound: of two, PostgreSQL may start at the wider one. The key lies within the range of time.
    const bound = (operator: '<' | '>', time: string | undefined): string[] => {
      if (start?.operator !== operator) return this.compare(`${operator}=`, { [orderColumn]: time });
      const { timestamp, id } = start.key;
      return this.compare(operator, { [orderColumn]: timestamp, id });
    };
    this.bounds = [...bound('>', after), ...bound('<', before)];
  }

  /** Adds a parameter and returns its placeholder. */
  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  orderBy(direction: 'ASC' | 'DESC'): string {
    const columns = [...Object.keys(this.equality), this.query.orderColumn, 'id'];
    return `ORDER BY ${columns.map((column) => `${this.query.table}.${column} ${direction}`).join(', ')}`;
  }

  /** Compares the equality columns and `key` as one row. */
  private compare(operator: string, key: Values): string[] {
    const row = { ...this.equality, ...this.placeholders(key) };
    if (Object.keys(row).length === 0) return [];
    const columns = Object.keys(row).map((column) => `${this.query.table}.${column}`);
    return [`(${columns.join(', ')}) ${operator} (${Object.values(row).join(', ')})`];
  }

  private placeholders(values: Values): Record<string, string> {
    return Object.fromEntries(given(values).map(([column, value]) => [column, this.parameter(value)]));
  }
}

const where = (...conditions: string[]): string =>
  conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;

/** The conditions column by column, for which the planner has statistics; it has none for a comparison of rows. */
function plainConditions({ orderColumn, equality, residual, after, before }: KeysetQuery): {
  conditions: string;
  parameters: string[];
} {
  const compared: [string, string][] = [
    ...given({ ...equality, ...residual }).map(([column, value]): [string, string] => [`${column} =`, value]),
    ...given({ [`${orderColumn} >=`]: after }),
    ...given({ [`${orderColumn} <=`]: before }),
  ];
  const conditions = ['true', ...compared.map(([comparison], index) => `${comparison} $${index + 1}`)];
  return { conditions: conditions.join(' AND '), parameters: compared.map(([, value]) => value) };
}

function given(values: Values): [string, string][] {
  return Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined);
}
