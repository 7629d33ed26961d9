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
import {
  LAST_SAMPLED_HASH,
  SESSION_HASH,
  SESSION_HASHES,
  SESSION_SAMPLE,
} from '../../replication/session-projection.js';
import { bucketSql } from './bucket-sql.js';
import type { MeasuredRow } from './event-measures.repository.js';

/** Reading a session from the projection takes as long as reading so many events. */
const EVENTS_PER_SESSION = 3;

/**
 * Sessions that one statement sums up. The table of so many fits into the memory of a question; on disk, as of all sessions, it would
 * take twice the time.
 */
const SLICE_SIZE = 500_000;

/** Statements of a question. With more sessions, the events are read instead, which may take longer than is permitted. */
const MAX_SLICES = 32;

/** Sessions whose events are read because they may have an event in more than two buckets. With more of them, all events are read. */
const MAX_LONG_SESSIONS = 1000;

/** Stands for the buckets of such sessions. */
const LONG = -1;

/** Sessions with their first event in a bucket and their last one in another. */
interface SessionsRow {
  /** The two as one number, or LONG. */
  readonly ends: string;
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
    const slices = await this.slices(scope);
    if (slices === undefined) return undefined;
    const [rows, long]: [SessionsRow[], SessionsRow[]] = [[], []];
    let longSessions = 0;
    for (let slice = 0; slice < slices; slice++) {
      for (const row of await this.sessions(scope, buckets, slice, slices)) {
        const isLong = Number(row.ends) === LONG;
        (isLong ? long : rows).push(row);
        if (isLong) longSessions += Number(row.sessions);
      }
      if (longSessions > MAX_LONG_SESSIONS) return undefined;
    }
    const fromEvents = longSessions === 0 ? [] : await this.fromEvents(scope, buckets, long);
    return [...sumOf(rows, buckets.length, fromEvents)].map(([bucket, value]) => ({
      bucket,
      group: null,
      value,
    }));
  }

  /** In how many statements to read the sessions; undefined if it takes less time to read the events. */
  private async slices(scope: EventScope): Promise<number | undefined> {
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
    const [events, sessions] = [Number(row?.events), Number(row?.sampled) * SESSION_SAMPLE];
    const slices = Math.max(Math.ceil(sessions / SLICE_SIZE), 1);
    return sessions * EVENTS_PER_SESSION < events && slices <= MAX_SLICES ? slices : undefined;
  }

  /**
   * The sessions of a slice of all hashes that have an event in the range, and maybe some that only have events before and after it,
   * by their first and last buckets.
   */
  private sessions(
    { from, to, filter }: EventScope,
    buckets: readonly number[],
    slice: number,
    slices: number,
  ): Promise<SessionsRow[]> {
    const parameters = new SqlParameters();
    const [start, end] = [from, to].map((time) => parameters.add(String(microsecondsOf(time)), 'Int64'));
    const bucket = bucketSql(buckets, parameters);
    const [firstHash, lastHash] = [slice, slice + 1]
      .map((edge) => (SESSION_HASHES * BigInt(edge)) / BigInt(slices))
      .map((hash, index) => parameters.add(String(hash - BigInt(index)), 'UInt64'));
    const size = parameters.add(buckets.length, 'Int32');
    return this.questions.query<SessionsRow>(
      'first and last buckets',
      // Before the range is the bucket -1, and after it the number of buckets.
      `SELECT ends, count() AS sessions, min(first) AS begin, max(last) AS end,
         groupArrayIf(${MAX_LONG_SESSIONS})(hash, ends = ${LONG}) AS hashes
       FROM (
         SELECT hash, first, last,
           if(last_bucket - first_bucket > 1, ${LONG}, (first_bucket + 1) * (${size} + 1) + last_bucket) AS ends
         FROM (
           SELECT *, if(first < ${start}, -1, toInt32(${bucket('first')})) AS first_bucket,
             if(last >= ${end}, ${size}, toInt32(${bucket('last')})) AS last_bucket
           FROM (
             SELECT ${SESSION_HASH} AS hash, min(timestamp) AS first, max(timestamp) AS last
             FROM events
             WHERE ${SESSION_HASH} >= ${firstHash} AND ${SESSION_HASH} <= ${lastHash} AND ${filterSql(filter, parameters)}
             GROUP BY hash
           )
           WHERE first < ${end} AND last >= ${start}
         )
       )
       GROUP BY ends
       SETTINGS max_rows_to_group_by = 0`,
      parameters,
    );
  }

  private async fromEvents(
    scope: EventScope,
    buckets: readonly number[],
    long: readonly SessionsRow[],
  ): Promise<MeasuredRow[]> {
    const parameters = new SqlParameters();
    const hashes = long.flatMap((row) => row.hashes).map(BigInt);
    const edges = parameters.add(
      long.flatMap(({ begin, end }) => [BigInt(begin), BigInt(end)]),
      'Array(Int64)',
    );
    const rows = await this.questions.query<{ bucket: number; sessions: string; of_range: number }>(
      'long sessions',
      `SELECT bucket, uniqExact(hash) AS sessions, toUInt8(grouping(bucket)) AS of_range
       FROM (
         SELECT ${bucketSql(buckets, parameters)('timestamp')} AS bucket, ${SESSION_HASH} AS hash
         FROM events
         WHERE ${scopeSql(scope, parameters)} AND timestamp >= arrayMin(${edges}) AND timestamp <= arrayMax(${edges})
           AND hash IN ${parameters.add(hashes, 'Array(UInt64)')}
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

/** Sessions by bucket; null of the whole range. @param long the same of the sessions that are LONG */
function sumOf(
  rows: readonly SessionsRow[],
  size: number,
  long: readonly MeasuredRow[],
): Map<number | null, number> {
  const sum = new Map<number | null, number>();
  const add = (bucket: number | null, sessions: number): void =>
    void sum.set(bucket, (sum.get(bucket) ?? 0) + sessions);
  for (const { ends, sessions } of rows) {
    const [first, last] = [Math.floor(Number(ends) / (size + 1)) - 1, Number(ends) % (size + 1)];
    for (const bucket of new Set([first, last]))
      if (bucket >= 0 && bucket < size) add(bucket, Number(sessions));
    add(null, Number(sessions));
  }
  for (const { bucket, value } of long) add(bucket, value ?? 0);
  return sum;
}
