import { Injectable } from '@nestjs/common';
import type { Filter, Property } from '../../platform/filters/filter.js';
import { filterSql, SqlParameters } from '../../platform/filters/filter-sql.js';
import { EventQuestions, type EventScope, scopeSql } from '../../questions/event-questions.js';
import { bucketSql } from '../measures/bucket-sql.js';
import { actorSql, AGGREGATED_ON_DISK, hasActorSql } from '../steps/actor.js';

export interface RetentionQuery {
  readonly scope: EventScope;
  /** When each period begins, in milliseconds since 1970; the first may begin before the range. */
  readonly buckets: readonly number[];
  readonly start: Filter;
  readonly return: Filter;
  readonly by: Property;
  /** Periods after the one of a cohort. */
  readonly periods: number;
}

export interface Cohort {
  /** Those who did the start event in the period. */
  size: number;
  /** Those who returned in the period itself, and in each period after it. */
  readonly returned: number[];
}

/** Stands for the size of a cohort, beside the periods after it. */
const SIZE = -1;

/** Finds out in ClickHouse who returns in later periods. */
@Injectable()
export class RetentionRepository {
  constructor(private readonly questions: EventQuestions) {}

  /**
   * @returns one cohort for each period
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async cohorts(query: RetentionQuery): Promise<Cohort[]> {
    const parameters = new SqlParameters();
    const rows = await this.questions.query<{ cohort: number; offset: string; actors: string }>(
      'retention',
      `SELECT cohort, offset, count() AS actors
       FROM (
         SELECT arrayJoin(arrayZip(starts, stays)) AS start, toInt32(start.1) AS cohort,
           arrayConcat([${SIZE}], if(start.2, [0], []),
             arrayFilter(offset -> offset > 0 AND offset <= ${query.periods}, arrayMap(period -> toInt32(period) - cohort, returns))
           ) AS offsets
         FROM (${actorsSql(query, parameters)})
       )
       ARRAY JOIN offsets AS offset
       GROUP BY cohort, offset
       ${AGGREGATED_ON_DISK}`,
      parameters,
    );
    const cohorts = query.buckets.map((): Cohort => ({
      size: 0,
      returned: Array<number>(query.periods + 1).fill(0),
    }));
    for (const row of rows) {
      const cohort = cohorts[row.cohort];
      const [offset, actors] = [Number(row.offset), Number(row.actors)];
      if (!cohort) continue;
      if (offset === SIZE) cohort.size = actors;
      else cohort.returned[offset] = actors;
    }
    return cohorts;
  }
}

/**
 * SELECTs of each actor the periods with a start event (`starts`), whether it returned in each of them (`stays`), and the
 * periods with a return event (`returns`).
 */
function actorsSql(query: RetentionQuery, parameters: SqlParameters): string {
  const { scope, buckets, by } = query;
  const start = filterSql(query.start, parameters);
  const back = filterSql(query.return, parameters);
  return `SELECT groupArrayIf(period, has_start) AS starts, groupArrayIf(has_return AND last_return >= first_start, has_start) AS stays,
      groupArrayIf(period, has_return) AS returns
    FROM (
      SELECT ${actorSql(by, parameters)} AS actor, ${bucketSql(buckets, parameters)('timestamp')} AS period,
        max(${start}) AS has_start, max(${back}) AS has_return,
        minIf(timestamp, ${start}) AS first_start, maxIf(timestamp, ${back}) AS last_return
      FROM events
      WHERE ${scopeSql(scope, parameters)} AND ${hasActorSql(by, parameters)} AND (${start} OR ${back})
      GROUP BY actor, period
    )
    GROUP BY actor
    HAVING notEmpty(starts)`;
}
