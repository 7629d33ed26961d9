import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../../platform/filters/filter-sql.js';
import { ANY_TIME, type CountedField, countsSql } from '../../questions/event-counts.js';
import { EventQuestions, type EventScope } from '../../questions/event-questions.js';
import { bucketSql } from './bucket-sql.js';
import type { GroupKeys, LargestGroups, MeasuredRow } from './event-measures.repository.js';

/** A number of events in a bucket. Each code is the index of a value among those of its dimension, or their number for another value. */
interface CountRow {
  readonly bucket: number;
  readonly codes: readonly number[];
  readonly events: string;
}

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
       FROM (${countsSql(scope, parameters, ANY_TIME, () => dimensions)})
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
    const values = dimensions.map((_, index) => [...new Set(groups.map((keys) => textOf(keys[index])))]);
    // Numbers are grouped faster than texts.
    const codes = (groups.length === 0 ? [] : dimensions).map((field, index) => {
      const size = values[index]?.length ?? 0;
      return `transform(${field}, ${parameters.add(values[index], 'Array(String)')}, range(${size}), ${size}) AS code${index}`;
    });
    const columns = (time: string): string[] => [`${bucket(time)} AS bucket`, ...codes];
    const rows = await this.questions.query<CountRow>(
      'counts',
      `SELECT bucket, [${codes.map((_, index) => `code${index}`).join(', ')}] AS codes, sum(n) AS events
       FROM (${countsSql(scope, parameters, ANY_TIME, columns, starts)})
       GROUP BY bucket, codes`,
      parameters,
    );
    const indexes = new Map(groups.map((keys, index) => [keys.map(textOf).join('\0'), index]));
    return measuredRows(rows, (codes) => {
      const texts = codes.map((code, dimension) => values[dimension]?.[code]);
      return texts.includes(undefined) ? undefined : indexes.get(texts.join('\0'));
    });
  }
}

const keyOf = (text: string): string => `s${text}`;
const textOf = (key = ''): string => key.slice(1);

/** @param groupOf the index of a group; undefined for one that is not asked for */
function measuredRows(
  rows: readonly CountRow[],
  groupOf: (codes: readonly number[]) => number | undefined,
): MeasuredRow[] {
  /** Events by bucket, of all groups and of those that are not asked for. */
  const [all, others] = [new Map<number, number>(), new Map<number, number>()];
  const measured: MeasuredRow[] = [];
  const add = (counts: Map<number, number>, bucket: number, events: number): void =>
    void counts.set(bucket, (counts.get(bucket) ?? 0) + events);
  const totals = new Map<number, number>();
  for (const { bucket, codes, events } of rows) {
    const value = Number(events);
    add(all, bucket, value);
    const group = groupOf(codes);
    if (group === undefined) {
      add(others, bucket, value);
      continue;
    }
    measured.push({ bucket, group, value });
    add(totals, group, value);
  }
  for (const [counts, group] of [
    [all, null],
    [others, -1],
  ] as const) {
    measured.push(...[...counts].map(([bucket, value]) => ({ bucket, group, value })));
    const value = [...counts].reduce((sum, [, events]) => sum + events, 0);
    if (value !== 0) measured.push({ bucket: null, group, value });
  }
  measured.push(...[...totals].map(([group, value]) => ({ bucket: null, group, value })));
  return measured;
}
