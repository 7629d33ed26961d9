import { Injectable } from '@nestjs/common';
import { type Filter, propertiesOf } from '../../platform/filters/filter.js';
import { filterSql, SqlParameters } from '../../platform/filters/filter-sql.js';
import { microsecondsOf } from '../../platform/time/timestamp.js';
import {
  EventQuestions,
  type EventScope,
  scopeSql,
  SUMMED_ON_DISK,
} from '../../questions/event-questions.js';
import { LAST_SAMPLED_HASH, SESSION_HASH, SESSION_SAMPLE } from '../../replication/session-projection.js';
import { bucketSql } from './bucket-sql.js';
import type { MeasuredRow } from './event-measures.repository.js';

/** Reading a session from the projection takes as long as reading so many events. */
const EVENTS_PER_SESSION = 3;

/** Sessions whose events are read because they have more than two buckets. With more of them, all events are read instead. */
const MAX_LONG_SESSIONS = 1000;

/** The number of the bucket of such sessions: see `measure()`. */
const LONG = -2;

/** Sessions with their first event in a bucket and their last one in another. Before the range is -1, and after it the number of buckets. */
interface SessionsRow {
  readonly first: number;
  readonly last: number;
  readonly sessions: string;
  /** Timestamps of the first and the last event of them all. */
  readonly begin: string;
  readonly end: string;
  /** Of up to MAX_LONG_SESSIONS of them, if they are LONG. */
  readonly hashes: readonly string[];
}

/** Whether the projection of sessions is enough to filter events. */
export const isOfSessions = (filter: Filter): boolean =>
  propertiesOf(filter).every((property) => property.kind === 'field' && property.field === 'application');

/**
 * Counts the sessions with an event in a bucket: as `EventMeasuresRepository`, but from the first and the last event that
 * ClickHouse keeps of each session. Where these are in the same bucket or in neighbouring ones, as usual, nothing else needs to
 * be read.
 */
@Injectable()
export class SessionBucketsRepository {
  constructor(private readonly questions: EventQuestions) {}

  /**
   * Sessions that share a hash count once. Of a million that were not made to, two do with a probability of 3e-8.
   * @param scope its filter is `isOfSessions()`
   * @param buckets when each begins, in milliseconds since 1970, ascending; the first may begin before the range
   * @returns undefined if it takes less time to read the events, or if there are too many LONG sessions
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async measure(scope: EventScope, buckets: readonly number[]): Promise<MeasuredRow[] | undefined> {
    if (!(await this.isFaster(scope))) return undefined;
    const rows = await this.sessions(scope, buckets);
    const long = rows.find(({ first }) => first === LONG);
    if (!long) return measuredRows(rows, buckets.length, []);
    if (long.hashes.length < Number(long.sessions)) return undefined;
    return measuredRows(rows, buckets.length, await this.fromEvents(scope, buckets, long));
  }

  private async isFaster(scope: EventScope): Promise<boolean> {
    const parameters = new SqlParameters();
    const [row] = await this.questions.query<{ events: string; sampled: string }>(
      'sessions of a range',
      `SELECT (SELECT count() FROM events WHERE ${scopeSql(scope, parameters)}) AS events,
         (SELECT count() FROM (
           SELECT ${SESSION_HASH} AS hash FROM events
           WHERE ${SESSION_HASH} <= ${parameters.add(LAST_SAMPLED_HASH, 'UInt64')} AND ${filterSql(scope.filter, parameters)}
           GROUP BY hash
         )) AS sampled
       ${SUMMED_ON_DISK}`,
      parameters,
    );
    return (
      row !== undefined && Number(row.sampled) * SESSION_SAMPLE * EVENTS_PER_SESSION < Number(row.events)
    );
  }

  /** The sessions with an event in the range, and maybe some that only have events on both sides of it, by their first and last buckets. */
  private sessions({ from, to, filter }: EventScope, buckets: readonly number[]): Promise<SessionsRow[]> {
    const parameters = new SqlParameters();
    const [start, end] = [from, to].map((time) => parameters.add(String(microsecondsOf(time)), 'Int64'));
    const bucket = bucketSql(buckets, parameters);
    const count = parameters.add(buckets.length, 'Int32');
    return this.questions.query<SessionsRow>(
      'first and last buckets',
      `SELECT both.1 AS first, both.2 AS last, count() AS sessions, min(first_time) AS begin, max(last_time) AS end,
         groupArrayIf(${MAX_LONG_SESSIONS})(toString(hash), first = ${LONG}) AS hashes
       FROM (
         SELECT hash, first_time, last_time,
           if(last_bucket - first_bucket > 1, (${LONG}, ${LONG}), (first_bucket, last_bucket)) AS both
         FROM (
           SELECT *, if(first_time < ${start}, -1, toInt32(${bucket('first_time')})) AS first_bucket,
             if(last_time >= ${end}, ${count}, toInt32(${bucket('last_time')})) AS last_bucket
           FROM (
             SELECT ${SESSION_HASH} AS hash, min(timestamp) AS first_time, max(timestamp) AS last_time
             FROM events WHERE ${filterSql(filter, parameters)}
             GROUP BY hash
           )
           WHERE first_time < ${end} AND last_time >= ${start}
         )
       )
       GROUP BY both
       ${SUMMED_ON_DISK}, optimize_aggregation_in_order = 1`,
      parameters,
    );
  }

  private async fromEvents(
    scope: EventScope,
    buckets: readonly number[],
    { begin, end, hashes }: SessionsRow,
  ): Promise<MeasuredRow[]> {
    const parameters = new SqlParameters();
    const [first, last] = [begin, end].map((time) => parameters.add(time, 'Int64'));
    const rows = await this.questions.query<{ bucket: number; sessions: string; of_range: number }>(
      'long sessions',
      `SELECT bucket, uniqExact(hash) AS sessions, toUInt8(grouping(bucket)) AS of_range
       FROM (
         SELECT ${bucketSql(buckets, parameters)('timestamp')} AS bucket, ${SESSION_HASH} AS hash
         FROM events
         WHERE ${scopeSql(scope, parameters)} AND timestamp >= ${first} AND timestamp <= ${last}
           AND hash IN ${parameters.add(hashes.map(BigInt), 'Array(UInt64)')}
       )
       GROUP BY GROUPING SETS ((bucket), ())`,
      parameters,
    );
    return rows.map(({ bucket, sessions, of_range }) => ({
      bucket: of_range === 1 ? null : bucket,
      group: null,
      value: Number(sessions),
    }));
  }
}

/** @param long the same of the sessions that are LONG, by their events */
function measuredRows(
  rows: readonly SessionsRow[],
  size: number,
  long: readonly MeasuredRow[],
): MeasuredRow[] {
  const counts = new Map<number | null, number>();
  const add = (bucket: number | null, sessions: number): void =>
    void counts.set(bucket, (counts.get(bucket) ?? 0) + sessions);
  for (const { first, last, sessions } of rows) {
    if (first === LONG) continue;
    for (const bucket of new Set([first, last]))
      if (bucket >= 0 && bucket < size) add(bucket, Number(sessions));
    add(null, Number(sessions));
  }
  for (const { bucket, value } of long) add(bucket, value ?? 0);
  return [...counts].map(([bucket, value]) => ({ bucket, group: null, value }));
}
