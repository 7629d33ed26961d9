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
import { QuestionError, type Range, readRange } from './range.js';

const FIRST = parseTimestamp('0001-01-01T00:00:00Z');

/** Buckets of time that an answer may have. */
export const MOST_BUCKETS = 5000;

/** Counts that it may have where groups are told apart: buckets times groups. */
export const MOST_COUNTS = 20_000;

/** Answers how many events there were, when and of which kind. */
@Injectable()
export class StatisticsService {
  constructor(private readonly counts: EventCountsRepository) {}

  /** @throws QuestionError, DatabaseUnavailableError */
  async events(dto: EventCountsDto): Promise<EventCountsResponse> {
    const { interval, group_by, limit } = dto;
    const timezone = zoneNamed(dto.timezone) ?? 'UTC';
    const range = readRange(dto, timezone);
    const { from, to } = spelt(range);
    const buckets = bucketsOf(dto, range, timezone);
    if (group_by !== undefined && buckets.length * limit > MOST_COUNTS)
      throw new QuestionError(
        'limit',
        `Makes more than ${MOST_COUNTS.toLocaleString('en')} counts of ${buckets.length.toLocaleString('en')} buckets; ` +
          'take a lower limit, a longer interval or a shorter range.',
      );
    const instants = [from, ...buckets.slice(1), to];
    const filter = filterOf(dto);

    const [top] = group_by ? await this.counts.largest({ from, to }, filter, [group_by], limit) : [];
    const groups = top?.largest.map(filterOf) ?? [];
    const [all, ...told] = (await this.counts.series(instants, filter, group_by, groups)).map(withTotal);
    const { total, counts } = all as SeriesResponse;
    const series = group_by === undefined ? [{ total, counts }] : told.sort((a, b) => b.total - a.total);
    if (group_by !== undefined) {
      const others = (top?.groups ?? 0) - groups.length;
      const rest = remainder(counts, told, others);
      // One that is new since they were ranked has no series of its own either.
      if (others > 0 || rest.total > 0) series.push(rest);
    }
    return { interval, timezone, from, to, group_by: group_by ?? null, total, buckets, series };
  }

  /** @throws QuestionError, DatabaseUnavailableError */
  async top(dto: TopDto): Promise<TopResponse> {
    const range = spelt(readRange(dto, 'UTC'));
    const ways = ['application', 'category', 'name', 'type'] as const;
    const lists = await this.counts.largest(range, filterOf(dto), ways, dto.limit);
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

function spelt({ from, to }: Range): { from: string; to: string } {
  return { from: from.text, to: to.text };
}

/** @throws QuestionError where there are too many */
function bucketsOf({ interval }: EventCountsDto, { from, to }: Range, timezone: string): string[] {
  const end = to.milliseconds + (to.text.endsWith('000Z') ? 0 : 1);
  const buckets: string[] = [];
  for (const start of bucketStarts(interval, from.milliseconds, end, timezone)) {
    if (buckets.length === MOST_BUCKETS)
      throw new QuestionError(
        'interval',
        `Makes more than ${MOST_BUCKETS.toLocaleString('en')} buckets of this range; ` +
          `take a ${interval === 'week' ? 'shorter range' : 'longer one'}.`,
      );
    buckets.push(startText(start));
  }
  return buckets;
}

/** A bucket that begins before the first timestamp that there can be begins with it. */
function startText(start: number): string {
  return start < FIRST.milliseconds ? FIRST.text : timestampAt(start).text;
}

function withTotal({ counts, ...group }: Series): SeriesResponse {
  return { ...group, total: counts.reduce((sum, count) => sum + count, 0), counts };
}

/** What the series of all events has beside those that are told apart. */
function remainder(all: number[], told: SeriesResponse[], groups: number): SeriesResponse {
  const counts = all.map((count, index) =>
    told.reduce((rest, series) => rest - (series.counts[index] ?? 0), count),
  );
  const { total } = withTotal({ counts });
  return { others: true, groups, total, counts };
}
