import { Injectable } from '@nestjs/common';
import type { FilterField, Property } from '../../platform/filters/filter.js';
import { microsecondsOf } from '../../platform/time/timestamp.js';
import { EventQuestions, SUMMED_ON_DISK } from '../../questions/event-questions.js';
import { partOf } from '../../sessions/session-filter.js';
import { type SessionScope, SessionSql, type Span } from '../../sessions/session-sql.js';
import { bucketSql } from '../measures/bucket-sql.js';
import { type GroupKeys, keysSql, type LargestGroups } from '../measures/event-measures.repository.js';
import type { Range } from '../range.js';
import type { SessionMeasuresResponse } from './dto/responses.dto.js';
import type { SessionGrouping } from './session-grouping.js';

/** A range with a smaller share of all events is found by its events; for a larger one all sessions are read. */
const MAX_NARROW_SHARE = 1 / 4;

/** Measures of a group in a bucket. Without a bucket, of the whole range; without a group, of all sessions. */
export interface MeasuredSessions extends SessionMeasuresResponse {
  /** Index of the bucket. */
  readonly bucket: number | null;
  /** Index of the group; -1 for all that are not among the given ones. */
  readonly group: number | null;
}

/** The sessions that have their first event in a range. */
export interface SessionRange {
  readonly scope: SessionScope;
  readonly range: Range;
}

/** Measures sessions in ClickHouse. */
@Injectable()
export class SessionStatisticsRepository {
  constructor(private readonly questions: EventQuestions) {}

  /** @throws ClickHouseUnavailableError, QuestionTooLargeError */
  async largestGroups(
    sessions: SessionRange,
    grouping: SessionGrouping,
    limit: number,
  ): Promise<LargestGroups> {
    const sql = new SessionSql(sessions.scope);
    const source = await this.source(sql, sessions, grouping);
    const rows = await this.questions.query<{ keys: string[]; groups: string }>(
      'largest groups of sessions',
      `SELECT keys, count() OVER () AS groups
       FROM (SELECT keys, count() AS sessions FROM (${source}) GROUP BY keys)
       ORDER BY sessions DESC, keys
       LIMIT ${sql.parameters.add(limit, 'UInt32')} ${SUMMED_ON_DISK}`,
      sql.parameters,
    );
    return { groups: rows.map(({ keys }) => keys), count: Number(rows[0]?.groups ?? 0) };
  }

  /**
   * Measures all sessions of a range, and with a grouping also each of the given groups and the others together.
   * @param buckets when each begins, in milliseconds since 1970, ascending; the first may begin before the range
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async measure(
    sessions: SessionRange,
    buckets: readonly number[],
    grouping: SessionGrouping | undefined,
    groups: readonly GroupKeys[],
  ): Promise<MeasuredSessions[]> {
    const sql = new SessionSql(sessions.scope);
    const source = await this.source(sql, sessions, grouping);
    const group = grouping
      ? `toInt32(indexOf(${sql.parameters.add(groups, 'Array(Array(String))')}, keys) - 1)`
      : '0';
    const rows = await this.questions.query<
      MeasuredSessions & { sessions: string; of_range: number; of_all: number }
    >(
      'statistics of sessions',
      `SELECT bucket, ${grouping ? 'group' : '0 AS group'}, count() AS sessions, avg(events = 1) AS bounce_share,
         quantileExactInclusive(0.5)(duration) AS median_duration, quantileExactInclusive(0.9)(duration) AS p90_duration,
         avg(events) AS events_per_session, toUInt8(grouping(bucket)) AS of_range,
         toUInt8(${grouping ? 'grouping(group)' : '1'}) AS of_all
       FROM (
         SELECT ${bucketSql(buckets, sql.parameters)('first')} AS bucket, ${group} AS group, events,
           toFloat64(last - first) / 1000000 AS duration
         FROM (${source})
       )
       GROUP BY GROUPING SETS (${grouping ? '(bucket, group), (bucket), (group), ()' : '(bucket), ()'}) ${SUMMED_ON_DISK}`,
      sql.parameters,
    );
    return rows.map(({ of_range, of_all, ...row }) => ({
      ...row,
      sessions: Number(row.sessions),
      bucket: of_range === 1 ? null : row.bucket,
      group: of_all === 1 ? null : row.group,
    }));
  }

  /** A statement that selects `first`, `last` and `events` of the sessions, and with a grouping `keys`. */
  private async source(
    sql: SessionSql,
    { scope, range }: SessionRange,
    grouping: SessionGrouping | undefined,
  ): Promise<string> {
    const span = { from: microsecondsOf(range.from), to: microsecondsOf(range.to) - 1n };
    const [from, to] = [span.from, span.to].map((time) => sql.parameters.add(String(time), 'Int64'));
    const candidates = (await this.isNarrow(scope, span)) ? sql.candidates(span) : '1';
    // None of their events is before the range.
    const matching = sql.matching(`${candidates} AND timestamp >= ${from}`);
    const sessions = sql.sessions(candidates, matching, `first >= ${from} AND first <= ${to}`);
    if (!grouping) return `SELECT first, last, events FROM (${sessions})`;
    const keys = projectedKeys(grouping);
    if (keys !== undefined) return `SELECT first, last, events, ${keys} AS keys FROM (${sessions})`;
    const { properties } = grouping as { properties: readonly Property[] };
    return `SELECT first, last, events, keys
      FROM (SELECT id, ${keysSql(properties, sql.parameters)} AS keys FROM events WHERE ${sql.within(span)}) AS entries
      INNER JOIN (
        SELECT first, last, events, toUUID(UUIDNumToString(toFixedString(substring(entry, 9, 16), 16))) AS entry_id FROM (${sessions})
      ) AS sessions ON entries.id = sessions.entry_id`;
  }

  private async isNarrow(scope: SessionScope, span: Span): Promise<boolean> {
    const sql = new SessionSql(scope);
    const [row] = await this.questions.query<{ share: number | null }>(
      'share of a range',
      `SELECT count() / (SELECT count() FROM events) AS share FROM events WHERE ${sql.within(span)}`,
      sql.parameters,
    );
    return (row?.share ?? 0) < MAX_NARROW_SHARE;
  }
}

/** Where the parts of the first event are in the projection. */
const PARTS: Readonly<Record<FilterField, string>> = {
  application: partOf('entry', 1),
  category: partOf('entry', 2),
  name: partOf('entry', 3),
  session_id: 'session_id',
};

/** The keys of the values by which sessions are grouped, where the projection has them; otherwise undefined. */
function projectedKeys(grouping: SessionGrouping): string | undefined {
  const key = (text: string): string => `concat('s', ${text})`;
  if (grouping.kind !== 'properties') {
    const parts = [2, 3].map((part) => key(partOf(grouping.kind, part)));
    return `[${parts.join(', ')}]`;
  }
  const texts = grouping.properties.map((property) => property.kind === 'field' && PARTS[property.field]);
  return texts.every((text) => text !== false) ? `[${texts.map(key).join(', ')}]` : undefined;
}
