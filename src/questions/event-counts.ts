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

/** The periods by which ClickHouse keeps counts, longest first. */
export const COUNTED_PERIODS: readonly Period[] = [DAY, QUARTER];

/** From a time to before another, in microseconds since 1970. */
type TimeRange = readonly [start: bigint, end: bigint];

/** Times by which ranges are cut at most, because a statement names what is between them. */
const MAX_CUTS = 100;

/** Microseconds of a range in which there may be many events: 30 days. */
const LONG = 30n * DAY.length;

/** Numbers that a statement names one by one: the quarters of MAX_CUTS days, and a few more. */
const MAX_LISTED = 10_000n;

/**
 * A statement that counts the events of a scope by columns, as `n`; several rows may have the same values. ClickHouse reads
 * counts of the whole periods in the range that contain no cut, and only the events of the rest. It reads all events if the filter
 * asks about more than application, category and name.
 * @param periods lengths of time, longest first
 * @param columns expressions with names, which use the counted fields and a time in microseconds since 1970; that may be the
 *   beginning of a period
 * @param cuts times in the range at which the columns may change, ascending. Periods that would have too many are not used.
 */
export function countsSql(
  { from, to, filter }: EventScope,
  parameters: SqlParameters,
  periods: readonly Period[],
  columns: (time: string) => readonly string[],
  cuts: readonly bigint[] = [],
): string {
  const condition = filterSql(filter, parameters);
  const usable = propertiesOf(filter).every(isCounted) ? periods : [];
  const count = (time: string, number: string, ranges: readonly TimeRange[]): string =>
    `SELECT ${[...columns(time), 'count() AS n'].join(', ')} FROM events
     WHERE (${withinSql(number, ranges, parameters)}) AND ${condition} GROUP BY ALL`;
  const isPlain = propertiesOf(filter).length === 0;
  // To know how much of the events it would have to read instead of their counts, ClickHouse calculates the period of each eight
  // thousand events in the range, unless there is nothing but one range. For a long one, reading all counts takes less time.
  const settings = (ranges: readonly TimeRange[], { length }: Period): string => {
    const [start, end] = [ranges[0]?.[0] ?? 0n, ranges.at(-1)?.[1] ?? 0n];
    const isLong = (end - start) * length > LONG;
    return isLong && !(isPlain && ranges.length === 1) ? ' SETTINGS use_primary_key = 0' : '';
  };

  const counts: string[] = [];
  let rest: TimeRange[] = [[microsecondsOf(from), microsecondsOf(to)]];
  for (const period of usable) {
    const inside = cuts.filter((cut) => period.startOf(period.of(cut)) !== cut);
    if (inside.length > MAX_CUTS) continue;
    const uncut = rest.flatMap((range) => cutAt(range, inside));
    const ranges = joined(
      uncut
        .map(([start, end]): TimeRange => [period.firstFrom(start), period.of(end)])
        .filter(([first, last]) => first < last),
    );
    if (ranges.length > 0) counts.push(count(period.start, period.number, ranges) + settings(ranges, period));
    rest = joined(uncut.flatMap((range) => withoutPeriods(range, period)));
  }
  if (rest.length > 0) counts.push(count('timestamp', 'timestamp', rest));
  return counts.join('\nUNION ALL ');
}

/** The condition that a whole number lies in one of the ranges. */
function withinSql(number: string, ranges: readonly TimeRange[], parameters: SqlParameters): string {
  const numbers = ranges.reduce((sum, [first, end]) => sum + end - first, 0n);
  // A set is faster than many comparisons.
  if (ranges.length > 2 && numbers <= MAX_LISTED)
    return `${number} IN ${parameters.add(ranges.flatMap(numbersOf), 'Array(Int64)')}`;
  return ranges
    .map((range) => range.map((end) => parameters.add(String(end), 'Int64')))
    .map(([first, end]) => `(${number} >= ${first} AND ${number} < ${end})`)
    .join(' OR ');
}

const numbersOf = ([first, end]: TimeRange): bigint[] =>
  Array.from({ length: Number(end - first) }, (_, index) => first + BigInt(index));

function cutAt([start, end]: TimeRange, cuts: readonly bigint[]): TimeRange[] {
  const ends = [start, ...cuts.filter((cut) => cut > start && cut < end), end];
  return ends.slice(1).map((cut, index) => [ends[index] ?? start, cut]);
}

/** Joins ranges that follow each other without a gap. */
function joined(ranges: readonly TimeRange[]): TimeRange[] {
  const all: TimeRange[] = [];
  for (const [start, end] of ranges) {
    const previous = all.at(-1);
    if (previous?.[1] === start) all[all.length - 1] = [previous[0], end];
    else all.push([start, end]);
  }
  return all;
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
  const sql = `SELECT sum(n) AS events FROM (${countsSql(scope, parameters, COUNTED_PERIODS, () => [])})`;
  const [row] = await questions.query<{ events: string }>('count', sql, parameters);
  return Number(row?.events ?? 0);
}
