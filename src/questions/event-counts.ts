import { type Property, propertiesOf } from '../platform/filters/filter.js';
import { filterSql, SqlParameters } from '../platform/filters/filter-sql.js';
import { microsecondsOf } from '../platform/time/timestamp.js';
import { DAY, type Period, QUARTER } from '../replication/copy-table.js';
import type { EventQuestions, EventScope } from './event-questions.js';

/** The fields by which ClickHouse keeps counts of events. */
export const COUNTED_FIELDS = ['application', 'category', 'name'] as const;
export type CountedField = (typeof COUNTED_FIELDS)[number];

export const isCounted = (
  property: Property,
): property is { readonly kind: 'field'; readonly field: CountedField } =>
  property.kind === 'field' && (COUNTED_FIELDS as readonly string[]).includes(property.field);

/** For counts without regard to time. */
export const ANY_TIME: readonly Period[] = [DAY, QUARTER];

/** From a time to before another, in microseconds since 1970. */
type TimeRange = readonly [start: bigint, end: bigint];

/**
 * A statement that counts the events of a scope by columns, as `n`; several rows may have the same values. ClickHouse reads
 * counts of the whole periods in the range, and only the events at its ends. It reads all events if the filter asks about
 * more than application, category and name.
 * @param periods lengths of time that need not be divided, longest first
 * @param columns expressions with names, which use the counted fields and a time in microseconds since 1970; that may be the
 *   beginning of a period
 */
export function countsSql(
  { from, to, filter }: EventScope,
  parameters: SqlParameters,
  periods: readonly Period[],
  columns: (time: string) => readonly string[],
): string {
  const condition = filterSql(filter, parameters);
  const usable = propertiesOf(filter).every(isCounted) ? periods : [];
  const within = (number: string, ranges: readonly TimeRange[]): string =>
    ranges
      .map((range) => range.map((end) => parameters.add(String(end), 'Int64')))
      .map(([first, last]) => `(${number} >= ${first} AND ${number} < ${last})`)
      .join(' OR ');
  const count = (time: string, number: string, ranges: readonly TimeRange[]): string =>
    `SELECT ${[...columns(time), 'count() AS n'].join(', ')} FROM events
     WHERE (${within(number, ranges)}) AND ${condition} GROUP BY ALL`;

  const counts: string[] = [];
  let rest: TimeRange[] = [[microsecondsOf(from), microsecondsOf(to)]];
  for (const period of usable) {
    const whole = rest
      .map(([start, end]): TimeRange => [period.firstFrom(start), period.of(end)])
      .filter(([first, last]) => first < last);
    if (whole.length > 0) counts.push(count(period.start, period.number, whole));
    rest = rest.flatMap((range) => withoutPeriods(range, period));
  }
  if (rest.length > 0) counts.push(count('timestamp', 'timestamp', rest));
  return counts.join('\nUNION ALL ');
}

/** What whole periods leave of a range. */
function withoutPeriods([start, end]: TimeRange, period: Period): TimeRange[] {
  const [first, last] = [period.firstFrom(start), period.of(end)];
  if (first >= last) return [[start, end]];
  const ends: TimeRange[] = [
    [start, period.startOf(first)],
    [period.startOf(last), end],
  ];
  return ends.filter(([begins, stops]) => begins < stops);
}

/**
 * How many events there are.
 * @throws ClickHouseUnavailableError, QuestionTooLargeError
 */
export async function countEvents(questions: EventQuestions, scope: EventScope): Promise<number> {
  const parameters = new SqlParameters();
  const sql = `SELECT sum(n) AS events FROM (${countsSql(scope, parameters, ANY_TIME, () => [])})`;
  const [row] = await questions.query<{ events: string }>('count', sql, parameters);
  return Number(row?.events ?? 0);
}
