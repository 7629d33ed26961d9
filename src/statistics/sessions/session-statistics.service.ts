import { Injectable } from '@nestjs/common';
import { valueOfKey } from '../../platform/filters/value-key.js';
import { EventQuestions } from '../../questions/event-questions.js';
import { sessionScope } from '../../sessions/session-sql.js';
import type { GroupKeys, LargestGroups } from '../measures/event-measures.repository.js';
import { describe, shifted } from '../measures/event-measures.service.js';
import { type Range, toRange } from '../range.js';
import { bucketsOf, startText } from '../range-buckets.js';
import type { SessionStatisticsDto } from './dto/parameters.dto.js';
import type {
  SessionMeasuresResponse,
  SessionRangeResponse,
  SessionSeriesResponse,
  SessionStatisticsResponse,
} from './dto/responses.dto.js';
import { formatSessionGrouping, type SessionGrouping } from './session-grouping.js';
import {
  type MeasuredSessions,
  type SessionRange,
  SessionStatisticsRepository,
} from './session-statistics.repository.js';

const NO_GROUPS: LargestGroups = { groups: [], count: 0 };

const NOTHING: SessionMeasuresResponse = {
  sessions: 0,
  bounce_share: null,
  median_duration: null,
  p90_duration: null,
  events_per_session: null,
};

/** Measures sessions by the time of their first event and by group. */
@Injectable()
export class SessionStatisticsService {
  constructor(
    private readonly sessions: SessionStatisticsRepository,
    private readonly questions: EventQuestions,
  ) {}

  /**
   * @param visible the only application that the caller sees, as if there were no others; undefined if it sees all
   * @throws InvalidParametersError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async measure(dto: SessionStatisticsDto, visible: string | undefined): Promise<SessionStatisticsResponse> {
    const { interval, timezone, group_by: grouping, limit, compare } = dto;
    const scope = sessionScope(dto, visible);
    const range = toRange(dto, timezone);
    const buckets = await bucketsOf(dto, range);
    const compared = compare && shifted(range, compare, timezone);
    const comparedBuckets = compared && (await bucketsOf(dto, compared));

    const as_of = await this.questions.asOf();
    const groups = grouping
      ? await this.sessions.largestGroups({ scope, range }, grouping, limit)
      : NO_GROUPS;
    const measured = (of: Range, starts: readonly number[]): Promise<SessionRangeResponse> =>
      this.measured({ scope, range: of }, starts, grouping, groups);
    return {
      interval,
      timezone,
      group_by: grouping ? formatSessionGrouping(grouping) : null,
      as_of,
      ...(await measured(range, buckets)),
      ...(compared && comparedBuckets && { compared: await measured(compared, comparedBuckets) }),
    };
  }

  private async measured(
    sessions: SessionRange,
    starts: readonly number[],
    grouping: SessionGrouping | undefined,
    { groups, count }: LargestGroups,
  ): Promise<SessionRangeResponse> {
    const rows = await this.sessions.measure(sessions, starts, grouping, groups);
    const { from, to } = sessions.range;
    const all = seriesOf(rows, null, starts.length);
    const series: SessionSeriesResponse[] = groups.map((keys, index) => ({
      ...(grouping && describeGroup(grouping, keys)),
      ...seriesOf(rows, index, starts.length),
    }));
    // A group that appeared after the ranking has no series of its own either.
    if (count > groups.length || rows.some(({ group }) => group === -1))
      series.push({
        others: true,
        groups: Math.max(count - groups.length, 0),
        ...seriesOf(rows, -1, starts.length),
      });
    return {
      from: from.text,
      to: to.text,
      total: all.total,
      buckets: starts.map(startText),
      series: grouping ? series : [all],
    };
  }
}

/** @param group its index; -1 for the others, null for all sessions */
function seriesOf(
  rows: readonly MeasuredSessions[],
  group: number | null,
  size: number,
): Pick<SessionSeriesResponse, 'total' | 'values'> {
  let total = NOTHING;
  const values = Array<SessionMeasuresResponse>(size).fill(NOTHING);
  for (const { bucket, group: of, ...measures } of rows) {
    // ClickHouse has a row for the whole range also where there is no session.
    if (of !== group || measures.sessions === 0) continue;
    if (bucket === null) total = measures;
    else values[bucket] = measures;
  }
  return { total, values };
}

/** The values of a group, by what sessions are grouped by. */
function describeGroup(grouping: SessionGrouping, keys: GroupKeys): Partial<SessionSeriesResponse> {
  if (grouping.kind === 'properties') return describe(grouping.properties, keys);
  const [category, name] = keys.map((key) => valueOfKey(key));
  return { [grouping.kind]: { category, name } };
}
