import { Injectable } from '@nestjs/common';
import type { Property } from '../platform/filters/filter.js';
import type { EventCountsDto, TopDto } from './dto/parameters.dto.js';
import type {
  ApplicationCountResponse,
  CategoryCountResponse,
  EventCountsResponse,
  MeasuredResponse,
  NameCountResponse,
  SeriesResponse,
  TopResponse,
  TypeCountResponse,
} from './dto/responses.dto.js';
import { EventCountsRepository, type Series } from './event-counts.repository.js';
import { type CountFilter, type GroupBy, GROUPS } from './groups.js';
import { EventMeasuresService } from './measures/event-measures.service.js';
import { type Range, toRange } from './range.js';
import { bucketsOf, startText } from './range-buckets.js';

/** Counts events by time and by group. */
@Injectable()
export class StatisticsService {
  constructor(
    private readonly counts: EventCountsRepository,
    private readonly measures: EventMeasuresService,
  ) {}

  /** @throws InvalidParametersError, DatabaseUnavailableError, ClickHouseUnavailableError, QuestionTooLargeError */
  events(dto: EventCountsDto, isOfClickHouse: boolean): Promise<EventCountsResponse | MeasuredResponse> {
    return isOfClickHouse ? this.measures.measure(dto) : this.count(dto);
  }

  private async count(dto: EventCountsDto): Promise<EventCountsResponse> {
    const group_by = dto.group_by && groupingOf(dto.group_by);
    const { interval, timezone, limit } = dto;
    const range = toRange(dto, timezone);
    const { from, to } = toText(range);
    const buckets = (await bucketsOf(dto, range)).map(startText);
    const instants = [from, ...buckets.slice(1), to];
    const filter = filterOf(dto);

    const [top] = group_by ? await this.counts.largest({ from, to }, filter, [group_by], limit) : [];
    const groups = top?.largest.map(filterOf) ?? [];
    const [all, ...grouped] = (await this.counts.series(instants, filter, group_by, groups)).map(withTotal);
    const { total, counts } = all as SeriesResponse;
    const series = group_by === undefined ? [{ total, counts }] : grouped.sort((a, b) => b.total - a.total);
    if (group_by !== undefined) {
      const others = (top?.groups ?? 0) - groups.length;
      const rest = remainder(counts, grouped, others);
      // A group that appeared after the ranking has no series of its own either.
      if (others > 0 || rest.total > 0) series.push(rest);
    }
    return { interval, timezone, from, to, group_by: group_by ?? null, total, buckets, series };
  }

  /** @throws InvalidParametersError, DatabaseUnavailableError */
  async top(dto: TopDto): Promise<TopResponse> {
    const range = toText(toRange(dto, 'UTC'));
    const groupings = ['application', 'category', 'name', 'type'] as const;
    const lists = await this.counts.largest(range, filterOf(dto), groupings, dto.limit);
    const [applications, categories, names, types] = lists.map(({ largest }) => largest);
    return {
      ...range,
      total: lists[0]?.total ?? 0,
      applications: applications as ApplicationCountResponse[],
      categories: categories as CategoryCountResponse[],
      names: names as NameCountResponse[],
      types: types as TypeCountResponse[],
    };
  }
}

/** How PostgreSQL knows these groups. */
function groupingOf(dimensions: readonly Property[]): GroupBy | undefined {
  const fields = dimensions.map((dimension) => (dimension.kind === 'field' ? dimension.field : '')).join();
  const found = Object.entries(GROUPS).find(([, columns]) => columns.join() === fields);
  return found?.[0] as GroupBy | undefined;
}

function filterOf({ application, category, name }: CountFilter): CountFilter {
  return { application, category, name };
}

function toText({ from, to }: Range): { from: string; to: string } {
  return { from: from.text, to: to.text };
}

function withTotal({ counts, ...group }: Series): SeriesResponse {
  return { ...group, total: counts.reduce((sum, count) => sum + count, 0), counts };
}

/** The series of all events minus those of the groups. */
function remainder(all: number[], grouped: SeriesResponse[], groups: number): SeriesResponse {
  const counts = all.map((count, index) =>
    grouped.reduce((rest, series) => rest - (series.counts[index] ?? 0), count),
  );
  const { total } = withTotal({ counts });
  return { others: true, groups, total, counts };
}
