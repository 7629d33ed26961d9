import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../../platform/filters/filter-sql.js';
import type { Property, Value } from '../../platform/filters/filter.js';
import { EventQuestions, scopeSql } from '../../questions/event-questions.js';
import { AGGREGATED_ON_DISK, keySql, valueOf } from '../steps/actor.js';
import { attemptsSql, type FunnelQuery } from './attempts-sql.js';

/** The median and the 90th percentile of microseconds; null of nothing. */
export type Percentiles = readonly [number | null, number | null];

export interface FunnelCounts {
  /** Actors who reached each step. */
  readonly reached: readonly number[];
  /** The time from each step to the next one, and last from the first to the last one. */
  readonly times: readonly Percentiles[];
}

export interface FunnelGroup extends FunnelCounts {
  /** Undefined for all other groups together. */
  readonly value?: Value | null;
}

export interface Funnel {
  readonly all: FunnelCounts;
  /** Largest first, and last the others, if there are any. */
  readonly groups: readonly FunnelGroup[];
  /** How many groups there are. */
  readonly groupCount: number;
}

export interface DroppedActor {
  readonly id: Value;
  /** Microseconds since 1970 of the last step that it reached. */
  readonly reachedAt: bigint;
}

interface FunnelRow {
  readonly is_all: number;
  readonly place: string;
  readonly hash: string;
  readonly groups: string;
  readonly reached: readonly string[];
  readonly times: readonly Percentiles[];
}

/** Follows actors from step to step, in ClickHouse. */
@Injectable()
export class FunnelRepository {
  constructor(private readonly questions: EventQuestions) {}

  /** @throws ClickHouseUnavailableError, QuestionTooLargeError */
  async count(query: FunnelQuery, limit: number): Promise<Funnel> {
    const parameters = new SqlParameters();
    const later = query.steps.map((_, index) => index + 1).slice(1);
    const last = query.steps.length;
    const spans = [
      ...later.map((step) => ({ time: `t${step} - t${step - 1}`, level: step })),
      { time: `t${last} - t1`, level: last },
    ];
    const rows = await this.questions.query<FunnelRow>(
      'funnel',
      `SELECT toUInt8(grouping(place)) AS is_all, place, any(group_hash) AS hash, any(count_of_groups) AS groups,
         [sum(reached1), ${later.map((step) => `countIfMerge(reached${step})`).join(', ')}] AS reached,
         [${spans.map((_, index) => `quantilesExactInclusiveIfMerge(0.5, 0.9)(span${index})`).join(', ')}] AS times
       FROM (
         SELECT *, least(row_number() OVER (ORDER BY reached1 DESC, group_hash), ${parameters.add(limit + 1, 'UInt32')}) AS place,
           count() OVER () AS count_of_groups
         FROM (
           SELECT hash AS group_hash, count() AS reached1,
             ${later.map((step) => `countIfState(level >= ${step}) AS reached${step}`).join(', ')},
             ${spans.map(({ time, level }, index) => `quantilesExactInclusiveIfState(0.5, 0.9)(${time}, level >= ${level}) AS span${index}`).join(', ')}
           FROM (${attemptsSql(query, parameters)})
           GROUP BY group_hash
         )
       )
       GROUP BY GROUPING SETS ((place), ())
       ${AGGREGATED_ON_DISK}`,
      parameters,
    );
    const all = rows.find(({ is_all }) => is_all === 1);
    const groups = rows
      .filter(({ is_all }) => is_all === 0)
      .sort((a, b) => Number(a.place) - Number(b.place));
    return {
      all: all ? countsOf(all) : nothing(query.steps.length),
      groups: query.groupBy ? await this.named(query, query.groupBy, groups, limit) : [],
      groupCount: Number(all?.groups ?? 0),
    };
  }

  private async named(
    query: FunnelQuery,
    groupBy: Property,
    rows: readonly FunnelRow[],
    limit: number,
  ): Promise<FunnelGroup[]> {
    const listed = rows.filter(({ place }) => Number(place) <= limit);
    const keys = await this.keys(
      query,
      groupBy,
      listed.map(({ hash }) => hash),
    );
    return rows.map((row) =>
      Number(row.place) > limit
        ? countsOf(row)
        : { value: valueOf(groupBy, keys.get(row.hash) ?? ''), ...countsOf(row) },
    );
  }

  /** The keys of groups by their hashes. */
  private async keys(
    { scope, steps }: FunnelQuery,
    groupBy: Property,
    hashes: readonly string[],
  ): Promise<Map<string, string>> {
    if (hashes.length === 0) return new Map();
    const parameters = new SqlParameters();
    const filter = {
      kind: 'all',
      filters: [scope.filter, ...steps.slice(0, 1).map((step) => step.filter)],
    } as const;
    const rows = await this.questions.query<{ hash: string; key: string }>(
      'groups of a funnel',
      `SELECT sipHash64(${keySql(groupBy, parameters)}) AS hash, any(${keySql(groupBy, parameters)}) AS key
       FROM events
       WHERE ${scopeSql({ ...scope, filter }, parameters)} AND hash IN ${parameters.add(hashes.map(BigInt), 'Array(UInt64)')}
       GROUP BY hash`,
      parameters,
    );
    return new Map(rows.map(({ hash, key }) => [hash, key]));
  }

  /**
   * Those who reached the step before `step` and not `step`, by the time at which they reached it, newest first.
   * @param step the second one is 2
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async dropped(query: FunnelQuery, step: number, limit: number): Promise<DroppedActor[]> {
    const parameters = new SqlParameters();
    const rows = await this.questions.query<{ key: string; reached: string }>(
      'dropped out of a funnel',
      `SELECT key, t${step - 1} AS reached
       FROM (${attemptsSql(query, parameters, true)})
       WHERE level = ${step - 1}
       ORDER BY reached DESC, key
       LIMIT ${parameters.add(limit, 'UInt32')}
       ${AGGREGATED_ON_DISK}`,
      parameters,
    );
    return rows.map(({ key, reached }) => ({
      id: valueOf(query.by, key) ?? '',
      reachedAt: BigInt(reached),
    }));
  }
}

const countsOf = ({ reached, times }: FunnelRow): FunnelCounts => ({ reached: reached.map(Number), times });

const nothing = (steps: number): FunnelCounts => ({
  reached: Array<number>(steps).fill(0),
  times: Array<Percentiles>(steps).fill([null, null]),
});
