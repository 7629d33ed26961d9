import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../../platform/filters/filter-sql.js';
import { COUNTED_PERIODS, type CountedField, countsSql } from '../../questions/event-counts.js';
import { EventQuestions, type EventScope } from '../../questions/event-questions.js';
import { bucketSql } from './bucket-sql.js';
import type { GroupKeys, LargestGroups, MeasuredRow } from './event-measures.repository.js';

/** A number of events in a bucket and a group: its index, or OTHER. */
interface CountRow {
  readonly bucket: number;
  readonly group: number;
  readonly events: string;
}

/** The group of the events that are in none of the given ones. */
const OTHER = -1;

/** Counts events by application, category and name: as `EventMeasuresRepository`, but from the counts that ClickHouse keeps. */
@Injectable()
export class EventCountsRepository {
  constructor(private readonly questions: EventQuestions) {}

  /** @throws ClickHouseUnavailableError, QuestionTooLargeError */
  async largestGroups(
    scope: EventScope,
    dimensions: readonly CountedField[],
    limit: number,
  ): Promise<LargestGroups> {
    const parameters = new SqlParameters();
    const fields = dimensions.join(', ');
    const rows = await this.questions.query<Record<CountedField, string> & { groups: string }>(
      'largest counts',
      `SELECT ${fields}, sum(n) AS events, count() OVER () AS groups
       FROM (${countsSql(scope, parameters, COUNTED_PERIODS, () => dimensions)})
       GROUP BY ${fields}
       ORDER BY events DESC, ${fields}
       LIMIT ${parameters.add(limit, 'UInt32')}`,
      parameters,
    );
    return {
      groups: rows.map((row) => dimensions.map((dimension) => keyOf(row[dimension]))),
      count: Number(rows[0]?.groups ?? 0),
    };
  }

  /**
   * Counts all events, and with `dimensions` also each of the given groups and the others together.
   * @param buckets when each begins, in milliseconds since 1970, ascending; the first may begin before the range
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async measure(
    scope: EventScope,
    buckets: readonly number[],
    dimensions: readonly CountedField[],
    groups: readonly GroupKeys[],
  ): Promise<MeasuredRow[]> {
    const parameters = new SqlParameters();
    const bucket = bucketSql(buckets, parameters);
    const starts = buckets.slice(1).map((start) => BigInt(start) * 1000n);
    const group = groupSql(dimensions, groups, parameters);
    const columns = (time: string): string[] => [`${bucket(time)} AS bucket`, `${group} AS group`];
    const rows = await this.questions.query<CountRow>(
      'counts',
      `SELECT bucket, group, sum(n) AS events
       FROM (${countsSql(scope, parameters, COUNTED_PERIODS, columns, starts)})
       GROUP BY bucket, group`,
      parameters,
    );
    return measuredRows(rows);
  }
}

/** The index of the group of an event, or OTHER, as an expression of SQL. Numbers are grouped faster than texts. */
function groupSql(
  dimensions: readonly CountedField[],
  groups: readonly GroupKeys[],
  parameters: SqlParameters,
): string {
  if (groups.length === 0) return String(OTHER);
  const values = dimensions.map((_, index) => [...new Set(groups.map((keys) => textOf(keys[index])))]);
  // The places of the values of a group make up one number, as digits do. The last digit stands for any other value.
  let number = '0';
  const numbers = groups.map(() => 0);
  for (const [index, field] of dimensions.entries()) {
    const texts = values[index] ?? [];
    const place = `transform(${field}, ${parameters.add(texts, 'Array(String)')}, range(${texts.length}), ${texts.length})`;
    number = `(${number} * ${texts.length + 1} + ${place})`;
    for (const [of, keys] of groups.entries())
      numbers[of] = (numbers[of] ?? 0) * (texts.length + 1) + texts.indexOf(textOf(keys[index]));
  }
  return `transform(toUInt32(${number}), ${parameters.add(numbers, 'Array(UInt32)')}, arrayMap(i -> toInt32(i), range(${groups.length})), ${OTHER})`;
}

const keyOf = (text: string): string => `s${text}`;
const textOf = (key = ''): string => key.slice(1);

/** Adds the sums of the buckets, of the groups, and of all. */
function measuredRows(rows: readonly CountRow[]): MeasuredRow[] {
  const buckets = new Map<number, number>();
  const groups = new Map<number, number>();
  const add = (counts: Map<number, number>, of: number, events: number): void =>
    void counts.set(of, (counts.get(of) ?? 0) + events);
  const measured: MeasuredRow[] = [];
  for (const { bucket, group, events } of rows) {
    const value = Number(events);
    measured.push({ bucket, group, value });
    add(buckets, bucket, value);
    add(groups, group, value);
  }
  for (const [bucket, value] of buckets) measured.push({ bucket, group: null, value });
  for (const [group, value] of groups) measured.push({ bucket: null, group, value });
  const all = [...groups.values()].reduce((sum, events) => sum + events, 0);
  if (all !== 0) measured.push({ bucket: null, group: null, value: all });
  return measured;
}
