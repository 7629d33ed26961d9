import { Injectable } from '@nestjs/common';
import type { Filter, Property } from '../../platform/filters/filter.js';
import { SqlParameters } from '../../platform/filters/filter-sql.js';
import { valueKeySql } from '../../platform/filters/value-key.js';
import { EventQuestions, scopeSql } from '../../questions/event-questions.js';
import type { Range } from '../range.js';
import { bucketSql } from './bucket-sql.js';
import { type Measure, measureSql } from './measure.js';

/** Which events are measured, and how. */
export interface MeasureQuery {
  readonly range: Range;
  readonly filter: Filter;
  readonly measure: Measure;
  readonly isApproximate: boolean;
}

/** A group: the keys of its values (`valueKeySql`), one for each dimension. */
export type GroupKeys = readonly string[];

export interface LargestGroups {
  /** By their measures, largest first. */
  readonly groups: readonly GroupKeys[];
  /** How many groups there are in all. */
  readonly count: number;
}

/** The measure of a group in a bucket. Without a bucket, of the whole range; without a group, of all events. */
export interface MeasuredRow {
  /** Index of the bucket. */
  readonly bucket: number | null;
  /** Index of the group; -1 for all that are not among the given ones. */
  readonly group: number | null;
  readonly value: number | null;
}

/** Measures events in ClickHouse. */
@Injectable()
export class EventMeasuresRepository {
  constructor(private readonly questions: EventQuestions) {}

  /** @throws ClickHouseUnavailableError, QuestionTooLargeError */
  async largestGroups(
    query: MeasureQuery,
    dimensions: readonly Property[],
    limit: number,
  ): Promise<LargestGroups> {
    const parameters = new SqlParameters();
    const { x, aggregate } = measureSql(query.measure, parameters, query.isApproximate);
    const rows = await this.questions.query<{ keys: string[]; groups: string }>(
      'largest groups',
      `SELECT keys, count() OVER () AS groups
       FROM (
         SELECT keys, ${aggregate} AS value
         FROM (SELECT ${keysSql(dimensions, parameters)} AS keys, ${x} AS x FROM events WHERE ${whereSql(query, parameters)})
         GROUP BY keys
       )
       ORDER BY value DESC NULLS LAST, keys
       LIMIT ${parameters.add(limit, 'UInt32')}`,
      parameters,
    );
    return { groups: rows.map(({ keys }) => keys), count: Number(rows[0]?.groups ?? 0) };
  }

  /**
   * Measures all events, and with `dimensions` also each of the given groups and the others together.
   * @param buckets when each begins, in milliseconds since 1970, ascending; the first may begin before the range
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async measure(
    query: MeasureQuery,
    buckets: readonly number[],
    dimensions: readonly Property[],
    groups: readonly GroupKeys[],
  ): Promise<MeasuredRow[]> {
    const parameters = new SqlParameters();
    const { x, states, merged } = measureSql(query.measure, parameters, query.isApproximate);
    const isGrouped = dimensions.length > 0;
    const group = isGrouped
      ? `toInt32(indexOf(${parameters.add(groups, 'Array(Array(String))')}, ${keysSql(dimensions, parameters)}) - 1)`
      : '0';
    const rows = await this.questions.query<MeasuredRow & { of_range: number; of_all: number }>(
      'measure',
      // With grouping sets, ClickHouse would aggregate each event once for each set.
      `SELECT bucket, ${isGrouped ? 'group' : '0 AS group'}, ${merged} AS value,
         toUInt8(grouping(bucket)) AS of_range, toUInt8(${isGrouped ? 'grouping(group)' : '1'}) AS of_all
       FROM (
         SELECT bucket, group, ${states}
         FROM (
           SELECT ${bucketSql(buckets, parameters)('timestamp')} AS bucket, ${group} AS group, ${x} AS x
           FROM events
           WHERE ${whereSql(query, parameters)}
         )
         GROUP BY bucket, group
       )
       GROUP BY GROUPING SETS (${isGrouped ? '(bucket, group), (bucket), (group), ()' : '(bucket), ()'})`,
      parameters,
    );
    return rows.map((row) => ({
      bucket: row.of_range === 1 ? null : row.bucket,
      group: row.of_all === 1 ? null : row.group,
      value: row.value,
    }));
  }
}

/** The keys of the values of an event. */
export const keysSql = (dimensions: readonly Property[], parameters: SqlParameters): string =>
  `[${dimensions.map((dimension) => `toString(${valueKeySql(dimension, parameters)})`).join(', ')}]`;

const whereSql = ({ range, filter }: MeasureQuery, parameters: SqlParameters): string =>
  scopeSql({ ...range, filter }, parameters);
