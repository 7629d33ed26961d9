import type { Count, Slice } from './page.js';

/** A value that PostgreSQL computes, in SQL. */
export class Expression {
  constructor(readonly sql: string) {}
}

type Value = string | Expression;
type Values = Record<string, Value | undefined>;

/** Rows of a table that are asked for by equality and by a range of time. */
export interface Walked {
  table: string;
  /** The column by which the list is ordered, before `id`. */
  time: string;
  /** Columns that are asked for and stand, in this order, at the beginning of an index that ends in (time, id). */
  leading: Values;
  /** Columns that are asked for and are looked at row by row. */
  filtered: Values;
  /** Canonical timestamps, both inclusive. */
  after: string | undefined;
  before: string | undefined;
  /** What rows must be beside that, in SQL. */
  condition?: string;
}

/** Beyond this many, `count` is an estimate: counting reads one index entry a row. */
export const EXACT_COUNT = 10_000;

interface Statement {
  sql: string;
  parameters: unknown[];
}

/** Asks PostgreSQL. */
export type Ask = <Row>(sql: string, parameters: unknown[]) => Promise<Row[]>;

/** A slice of the rows in their order; for a cursor to `previous`, in the opposite order. */
export function selectSlice(columns: string, walked: Walked, slice: Slice): Statement {
  const { cursor } = slice;
  const backwards = cursor?.direction === 'previous';
  const descending = slice.newestFirst !== backwards;
  const walk = new IndexWalk(walked, cursor && { operator: descending ? '<' : '>', place: cursor });
  const limit = walk.parameter(slice.limit);
  const offset = walk.parameter(slice.offset ?? 0);
  const sql = `SELECT ${columns} FROM ${walked.table} ${walk.where()} ${walk.orderBy(descending ? 'DESC' : 'ASC')}
     LIMIT ${limit} OFFSET ${offset}`;
  return { sql, parameters: walk.parameters };
}

/** How many rows there are: exact up to EXACT_COUNT, and beyond it the planner's estimate, so that no table is scanned. */
export async function countRows(ask: Ask, walked: Walked): Promise<Count> {
  const { table } = walked;
  const walk = new IndexWalk(walked);
  const [counted] = await ask<{ count: number }>(
    `SELECT count(*)::int AS count
     FROM (SELECT 1 FROM ${table} ${walk.where()} ${walk.orderBy('DESC')} LIMIT ${EXACT_COUNT + 1}) AS matching`,
    walk.parameters,
  );
  const count = counted?.count ?? 0;
  if (count <= EXACT_COUNT) return { count, isEstimate: false };
  return { count: Math.max(await estimateRows(ask, walked), count), isEstimate: true };
}

/** About how many rows there are, as the planner knows it. */
export async function estimateRows(ask: Ask, walked: Walked): Promise<number> {
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
class IndexWalk {
  readonly parameters: unknown[] = [];
  private readonly leading: Record<string, string>;
  private readonly conditions: string[];

  /** @param beyond a place in the list to begin after, to its older (`<`) or newer (`>`) side */
  constructor(
    private readonly walked: Walked,
    beyond?: { operator: '<' | '>'; place: { timestamp: string; id: string } },
  ) {
    const { time, after, before, condition = '' } = walked;
    this.leading = this.placeholders(walked.leading);
    const filtered = this.placeholders(walked.filtered);
    // One condition an end, since of two PostgreSQL may start at the wider. A place lies within the bounds.
    const end = (operator: '<' | '>', bound: string | undefined): string =>
      beyond?.operator === operator
        ? this.compare(operator, { [time]: beyond.place.timestamp, id: beyond.place.id })
        : this.compare(`${operator}=`, { [time]: bound });
    this.conditions = [
      end('>', after),
      end('<', before),
      ...Object.entries(filtered).map(([column, value]) => `${column} = ${value}`),
      condition,
    ].filter((condition) => condition !== '');
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  where(): string {
    return this.conditions.length === 0 ? '' : `WHERE ${this.conditions.join(' AND ')}`;
  }

  orderBy(direction: 'ASC' | 'DESC'): string {
    const columns = [...Object.keys(this.leading), this.walked.time, 'id'];
    return `ORDER BY ${columns.map((column) => `${this.walked.table}.${column} ${direction}`).join(', ')}`;
  }

  private compare(operator: string, place: Values): string {
    const row = { ...this.leading, ...this.placeholders(place) };
    if (Object.keys(row).length === 0) return '';
    const columns = Object.keys(row).map((column) => `${this.walked.table}.${column}`);
    return `(${columns.join(', ')}) ${operator} (${Object.values(row).join(', ')})`;
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

/** The conditions as the planner's statistics know them. */
function plainConditions({ time, leading, filtered, after, before }: Walked): {
  conditions: string;
  parameters: Value[];
} {
  const compared: [string, Value][] = [
    ...given({ ...leading, ...filtered }).map(([column, value]): [string, Value] => [`${column} =`, value]),
    ...given({ [`${time} >=`]: after }),
    ...given({ [`${time} <=`]: before }),
  ];
  const conditions = ['true', ...compared.map(([comparison], index) => `${comparison} $${index + 1}`)];
  return { conditions: conditions.join(' AND '), parameters: compared.map(([, value]) => value) };
}

function given(values: Values): [string, Value][] {
  return Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined);
}
