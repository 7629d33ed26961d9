import type { Count, Slice } from './page.js';

/** A value that PostgreSQL computes, in SQL. */
export class Expression {
  constructor(readonly sql: string) {}
}

type Value = string | Expression;
type Values = Record<string, Value | undefined>;

/** Rows of a table that are asked for by equality and by a range of time. */
export interface KeysetQuery {
  table: string;
  /** The column by which the list is ordered, before `id`. */
  orderColumn: string;
  /** Columns that are asked for and stand, in this order, at the beginning of an index that ends in (time, id). */
  equality: Values;
  /** Columns that are asked for and are looked at row by row. */
  residual: Values;
  /** Canonical timestamps, both inclusive. */
  after: string | undefined;
  before: string | undefined;
  /** What rows must be beside that, in SQL. */
  condition?: string;
  /**
   * Where matching rows may lie far apart in the index: looks at its first so many rows, or into the minutes that a
   * statement names, which hold the whole slice. In a minute any index may serve, so equality is best left to `filtered`.
   */
  only?: { first: number } | { minutes: Statement };
}

/** Beyond this many, `count` is an estimate: counting reads one index entry a row. */
export const MAX_EXACT_COUNT = 10_000;

export interface Statement {
  sql: string;
  parameters: unknown[];
}

/** Asks PostgreSQL. */
export type Ask = <Row>(sql: string, parameters: unknown[]) => Promise<Row[]>;

/** Whether a slice is read from its latest row on: so is a list of the newest, but not its cursor to `previous`. */
export const isDescending = ({ newestFirst, cursor }: Slice): boolean =>
  newestFirst !== (cursor?.direction === 'previous');

/** A slice of the rows in their order; for a cursor to `previous`, in the opposite order. */
export function selectSlice(columns: string, walked: KeysetQuery, slice: Slice): Statement {
  const { cursor, limit, offset = 0 } = slice;
  const descending = isDescending(slice);
  const walk = new KeysetBuilder(walked, cursor && { operator: descending ? '<' : '>', place: cursor });
  const order = walk.orderBy(descending ? 'DESC' : 'ASC');
  const sql = `SELECT ${columns} FROM ${sourceOf(walked, walk, order, limit + offset)} ${order}
     LIMIT ${walk.parameter(limit)} OFFSET ${walk.parameter(offset)}`;
  return { sql, parameters: walk.parameters };
}

/** @param most rows that are asked for */
function sourceOf(
  { table, orderColumn, only }: KeysetQuery,
  walk: KeysetBuilder,
  order: string,
  most: number,
): string {
  const { ends, filters } = walk;
  if (only === undefined) return `${table} ${where(...ends, ...filters)}`;
  if ('first' in only)
    return `(SELECT * FROM ${table} ${where(...ends)} ${order} LIMIT ${walk.parameter(only.first)}) AS ${table} ${where(...filters)}`;
  const within = [`${orderColumn} >= minute`, `${orderColumn} < minute + interval '1 minute'`];
  return `(${only.minutes.sql}) AS minutes (minute), LATERAL (
    SELECT * FROM ${table} ${where(...ends, ...filters, ...within)} ${order} LIMIT ${walk.parameter(most)}
  ) AS ${table}`;
}

/** How many rows there are: exact up to EXACT_COUNT, and beyond it the planner's estimate, so that no table is scanned. */
export async function countRows(ask: Ask, walked: KeysetQuery): Promise<Count> {
  const { table } = walked;
  const walk = new KeysetBuilder(walked);
  const [counted] = await ask<{ count: number }>(
    `SELECT count(*)::int AS count
     FROM (SELECT 1 FROM ${table} ${where(...walk.ends, ...walk.filters)} ${walk.orderBy('DESC')} LIMIT ${MAX_EXACT_COUNT + 1}) AS matching`,
    walk.parameters,
  );
  const count = counted?.count ?? 0;
  if (count <= MAX_EXACT_COUNT) return { count, isEstimate: false };
  return { count: Math.max(await estimateRows(ask, walked), count), isEstimate: true };
}

/** About how many rows there are, as the planner knows it. */
export async function estimateRows(ask: Ask, walked: KeysetQuery): Promise<number> {
  const { conditions, parameters } = plainConditions(walked);
  const [explained] = await ask<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT 1 FROM ${walked.table} WHERE ${conditions}`,
    parameters,
  );
  return explained?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0;
}

/**
 * The conditions and the order that walk one index from one end of the matching rows to the other: the columns that are
 * asked for by equality, then time and id.
 *
 * Equality is spelt as two ends of a range over whole rows of the index, and the order names the leading columns too.
 * With plain equality the planner may as well read the index on time alone and throw away what does not match, which it
 * does for a frequent category, and which reads the whole table when that category has not occurred for a while.
 */
class KeysetBuilder {
  readonly parameters: unknown[];
  /** Conditions on the index, which are where the walk begins and ends, and on the rows by the way. */
  readonly ends: string[];
  readonly filters: string[];
  private readonly leading: Record<string, string>;

  /** @param beyond a place in the list to begin after, to its older (`<`) or newer (`>`) side */
  constructor(
    private readonly walked: KeysetQuery,
    beyond?: { operator: '<' | '>'; place: { timestamp: string; id: string } },
  ) {
    const { orderColumn, after, before, condition, only } = walked;
    const minutes = only && 'minutes' in only ? only.minutes : undefined;
    this.parameters = [...(minutes?.parameters ?? [])];
    this.leading = this.placeholders(walked.equality);
    this.filters = Object.entries(this.placeholders(walked.residual)).map(
      ([column, value]) => `${column} = ${value}`,
    );
    if (condition !== undefined) this.filters.push(condition);
    // One condition an end, since of two PostgreSQL may start at the wider; but plain times, as within minutes, it merges.
    // A place lies within the bounds.
    const end = (operator: '<' | '>', bound: string | undefined): string[] => {
      const isBeyond = beyond?.operator === operator;
      if (isBeyond && !minutes)
        return this.compare(operator, { [orderColumn]: beyond.place.timestamp, id: beyond.place.id });
      if (isBeyond) this.filters.push(this.pass(operator, beyond.place));
      return this.compare(`${operator}=`, { [orderColumn]: isBeyond ? beyond.place.timestamp : bound });
    };
    this.ends = [...end('>', after), ...end('<', before)];
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  orderBy(direction: 'ASC' | 'DESC'): string {
    const columns = [...Object.keys(this.leading), this.walked.orderColumn, 'id'];
    return `ORDER BY ${columns.map((column) => `${this.walked.table}.${column} ${direction}`).join(', ')}`;
  }

  private compare(operator: string, place: Values): string[] {
    const row = { ...this.leading, ...this.placeholders(place) };
    if (Object.keys(row).length === 0) return [];
    const columns = Object.keys(row).map((column) => `${this.walked.table}.${column}`);
    return [`(${columns.join(', ')}) ${operator} (${Object.values(row).join(', ')})`];
  }

  /** Of the rows at the time of a place, those beyond it. Not as a range over rows, which PostgreSQL cannot merge with the minute. */
  private pass(operator: string, { timestamp, id }: { timestamp: string; id: string }): string {
    return `(${this.walked.orderColumn} <> ${this.parameter(timestamp)} OR id ${operator} ${this.parameter(id)})`;
  }

  private placeholders(values: Values): Record<string, string> {
    return Object.fromEntries(
      given(values).map(([column, value]) => [
        column,
        value instanceof Expression ? value.sql : this.parameter(value),
      ]),
    );
  }
}

const where = (...conditions: string[]): string =>
  conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;

/** The conditions as the planner's statistics know them. */
function plainConditions({ orderColumn, equality, residual, after, before }: KeysetQuery): {
  conditions: string;
  parameters: Value[];
} {
  const compared: [string, Value][] = [
    ...given({ ...equality, ...residual }).map(([column, value]): [string, Value] => [`${column} =`, value]),
    ...given({ [`${orderColumn} >=`]: after }),
    ...given({ [`${orderColumn} <=`]: before }),
  ];
  const conditions = ['true', ...compared.map(([comparison], index) => `${comparison} $${index + 1}`)];
  return { conditions: conditions.join(' AND '), parameters: compared.map(([, value]) => value) };
}

function given(values: Values): [string, Value][] {
  return Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined);
}
