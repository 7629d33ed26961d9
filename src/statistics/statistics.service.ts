import { Injectable } from '@nestjs/common';
import { parseTimestamp, timestampAt } from '../platform/time/timestamp.js';
import { bucketStarts, zoneNamed } from './buckets.js';
import type { EventCountsDto, TopDto } from './dto/parameters.dto.js';
import type {
  ApplicationCountResponse,
  CategoryCountResponse,
  EventCountsResponse,
  NameCountResponse,
  SeriesResponse,
  TopResponse,
  TypeCountResponse,
} from './dto/responses.dto.js';
import { EventCountsRepository, type Series } from './event-counts.repository.js';
import type { CountFilter } from './groups.js';
import { InvalidParameterError, type Range, readRange } from './range.js';

const FIRST = parseTimestamp('0001-01-01T00:00:00Z');

/** Buckets of time in a response. */
export const MAX_BUCKETS = 5000;

/** Counts in a response with `group_by`: buckets times groups. */
export const MAX_COUNTS = 20_000;

/** Counts events by time and by group. */
@Injectable()
export class StatisticsService {
  constructor(private readonly counts: EventCountsRepository) {}

  /** @throws InvalidParameterError, DatabaseUnavailableError */
  async events(dto: EventCountsDto): Promise<EventCountsResponse> {
    const { interval, group_by, limit } = dto;
    const timezone = zoneNamed(dto.timezone) ?? 'UTC';
    const range = readRange(dto, timezone);
    const { from, to } = toText(range);
    const buckets = bucketsOf(dto, range, timezone);
    if (group_by !== undefined && buckets.length * limit > MAX_COUNTS)
      throw new InvalidParameterError(
        'limit',
        `Requests more than ${MAX_COUNTS.toLocaleString('en')} counts of ${buckets.length.toLocaleString('en')} buckets; ` +
          'use a lower limit, a longer interval or a shorter range.',
      );
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

  /** @throws InvalidParameterError, DatabaseUnavailableError */
  async top(dto: TopDto): Promise<TopResponse> {
    const range = toText(readRange(dto, 'UTC'));
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

function filterOf({ application, category, name }: CountFilter): CountFilter {
  return { application, category, name };
}

function toText({ from, to }: Range): { from: string; to: string } {
  return { from: from.text, to: to.text };
}

/** @throws InvalidParameterError when there are more than MAX_BUCKETS */
function bucketsOf({ interval }: EventCountsDto, { from, to }: Range, timezone: string): string[] {
  const end = to.milliseconds + (to.text.endsWith('000Z') ? 0 : 1);
  const buckets: string[] = [];
  for (const start of bucketStarts(interval, from.milliseconds, end, timezone)) {
    if (buckets.length === MAX_BUCKETS)
      throw new InvalidParameterError(
        'interval',
        `Divides this range into more than ${MAX_BUCKETS.toLocaleString('en')} buckets; ` +
          `use a ${interval === 'week' ? 'shorter range' : 'longer interval'}.`,
      );
    buckets.push(startText(start));
  }
  return buckets;
}

/** A bucket that would begin before the first valid timestamp begins with that timestamp. */
function startText(start: number): string {
  return start < FIRST.milliseconds ? FIRST.text : timestampAt(start).text;
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
