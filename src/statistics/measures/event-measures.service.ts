import { Injectable } from '@nestjs/common';
import { InvalidParametersError } from '../../platform/errors/domain-error.js';
import type { FilterField, Property } from '../../platform/filters/filter.js';
import { formatProperty } from '../../platform/filters/property-name.js';
import { valueOfKey } from '../../platform/filters/value-key.js';
import { type CountedField, isCounted } from '../../questions/event-counts.js';
import { EventQuestions } from '../../questions/event-questions.js';
import type { ComparedPeriod, EventCountsDto } from '../dto/parameters.dto.js';
import type {
  MeasuredRangeResponse,
  MeasuredResponse,
  MeasuredSeriesResponse,
} from '../dto/responses.dto.js';
import { type Range, rangeBefore, rangeYearBefore, toRange } from '../range.js';
import { bucketsOf, startText } from '../range-buckets.js';
import { EventCountsRepository } from './event-counts.repository.js';
import { formatDimensions } from './dimensions.js';
import {
  EventMeasuresRepository,
  type GroupKeys,
  type LargestGroups,
  type MeasuredRow,
  type MeasureQuery,
} from './event-measures.repository.js';
import { formatMeasure, type Measure } from './measure.js';
import { isOfSessions, SessionBucketsRepository } from './session-buckets.repository.js';

const NO_GROUPS: LargestGroups = { groups: [], count: 0 };

/** Measures events by time and by group, by what ClickHouse has of them. */
@Injectable()
export class EventMeasuresService {
  constructor(
    private readonly measures: EventMeasuresRepository,
    private readonly counts: EventCountsRepository,
    private readonly sessionBuckets: SessionBucketsRepository,
    private readonly questions: EventQuestions,
  ) {}

  /** @throws InvalidParametersError, ClickHouseUnavailableError, QuestionTooLargeError */
  async measure(dto: EventCountsDto): Promise<MeasuredResponse> {
    const { interval, timezone, group_by: dimensions = [], limit, filter, measure, precision, compare } = dto;
    const range = toRange(dto, timezone);
    const buckets = await bucketsOf(dto, range);
    const compared = compare && shifted(range, compare, timezone);
    const comparedBuckets = compared && (await bucketsOf(dto, compared));
    const query = { filter, measure, isApproximate: precision === 'approximate' };

    const as_of = await this.questions.asOf();
    const groups =
      dimensions.length === 0 ? NO_GROUPS : await this.largestGroups({ ...query, range }, dimensions, limit);
    const measured = (of: Range, starts: readonly number[]): Promise<MeasuredRangeResponse> =>
      this.measured({ ...query, range: of }, starts, dimensions, groups);
    return {
      measure: formatMeasure(measure),
      interval,
      timezone,
      group_by: dimensions.length === 0 ? null : formatDimensions(dimensions),
      ...(precision === 'approximate' && { approximate: true }),
      as_of,
      ...(await measured(range, buckets)),
      ...(compared && comparedBuckets && { compared: await measured(compared, comparedBuckets) }),
    };
  }

  private largestGroups(
    query: MeasureQuery,
    dimensions: readonly Property[],
    limit: number,
  ): Promise<LargestGroups> {
    const fields = countedFields(query.measure, dimensions);
    return fields
      ? this.counts.largestGroups({ ...query.range, filter: query.filter }, fields, limit)
      : this.measures.largestGroups(query, dimensions, limit);
  }

  private async measured(
    query: MeasureQuery,
    starts: readonly number[],
    dimensions: readonly Property[],
    { groups, count }: LargestGroups,
  ): Promise<MeasuredRangeResponse> {
    const { from, to } = query.range;
    const rows = await this.rows(query, starts, dimensions, groups);
    const size = starts.length;
    const all = seriesOf(query.measure, rows, null, size);
    const series: MeasuredSeriesResponse[] = groups.map((keys, index) => ({
      ...describe(dimensions, keys),
      ...seriesOf(query.measure, rows, index, size),
    }));
    // A group that appeared after the ranking has no series of its own either.
    if (count > groups.length || rows.some(({ group }) => group === -1))
      series.push({
        others: true,
        groups: Math.max(count - groups.length, 0),
        ...seriesOf(query.measure, rows, -1, size),
      });
    return {
      from: from.text,
      to: to.text,
      ...('counts' in all ? { total: all.total ?? 0 } : { value: all.value }),
      buckets: starts.map(startText),
      series: dimensions.length === 0 ? [all] : series,
    };
  }

  private async rows(
    query: MeasureQuery,
    starts: readonly number[],
    dimensions: readonly Property[],
    groups: readonly GroupKeys[],
  ): Promise<readonly MeasuredRow[]> {
    const { range, filter, measure } = query;
    const scope = { ...range, filter };
    const fields = countedFields(measure, dimensions);
    if (fields) return this.counts.measure(scope, starts, fields, groups);
    const ofSessions =
      measure.kind === 'sessions' && dimensions.length === 0 && isOfSessions(filter)
        ? await this.sessionBuckets.measure(scope, starts)
        : undefined;
    return ofSessions ?? this.measures.measure(query, starts, dimensions, groups);
  }
}

/** The dimensions, if events are to be counted by nothing else than what ClickHouse counts them by. */
function countedFields({ kind }: Measure, dimensions: readonly Property[]): CountedField[] | undefined {
  if (kind !== 'events' || !dimensions.every(isCounted)) return undefined;
  return dimensions.filter(isCounted).map(({ field }) => field);
}

/** @param group its index; -1 for the others, null for all events */
function seriesOf(
  { kind }: Measure,
  rows: readonly MeasuredRow[],
  group: number | null,
  size: number,
): MeasuredSeriesResponse {
  // Nothing is a number of its own where things are counted or summed up.
  const nothing = ['events', 'sessions', 'unique', 'sum'].includes(kind) ? 0 : null;
  const values = Array<number | null>(size).fill(nothing);
  let value: number | null = nothing;
  for (const row of rows) {
    if (row.group !== group) continue;
    if (row.bucket === null) value = row.value ?? nothing;
    else values[row.bucket] = row.value ?? nothing;
  }
  return kind === 'events' ? { total: value ?? 0, counts: values as number[] } : { value, values };
}

/** The values of a group, by the names of its dimensions. */
export function describe(
  dimensions: readonly Property[],
  keys: GroupKeys,
): Pick<MeasuredSeriesResponse, FilterField | 'properties'> {
  const group: Record<string, unknown> = {};
  const properties: Record<string, unknown> = {};
  for (const [index, dimension] of dimensions.entries()) {
    const value = valueOfKey(keys[index] ?? '') ?? null;
    if (dimension.kind === 'field') group[dimension.field] = value;
    else properties[formatProperty(dimension)] = value;
  }
  return { ...group, ...(dimensions.some(({ kind }) => kind === 'data') && { properties }) };
}

/**
 * The range that a range is compared with.
 * @throws InvalidParametersError before the first year
 */
export function shifted(range: Range, compare: ComparedPeriod, timezone: string): Range {
  const found = compare === 'year' ? rangeYearBefore(range, timezone) : rangeBefore(range);
  if (found) return found;
  throw new InvalidParametersError({ compare: ['There is no such range after the year 0001.'] });
}
