import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import type { Property } from '../../platform/filters/filter.js';
import { FilteredDto, ParsedText } from '../../platform/filters/filtered.dto.js';
import { Parsed, Unparsable } from '../../platform/http/parsed.decorator.js';
import { Choice, Limit, RangeEnd, RangeStart } from '../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../platform/time/timestamp.js';
import { type BucketInterval, BUCKET_INTERVALS, WEEK_STARTS, type WeekStart, zoneNamed } from '../buckets.js';
import { parseDimensions } from '../measures/dimensions.js';
import { type Measure, parseMeasure } from '../measures/measure.js';

export const MAX_GROUPS = 100;

export function Zone(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      default: 'UTC',
      example: 'Europe/Berlin',
      description: 'The IANA name of the time zone whose clock and calendar divide the range.',
    }),
    Parsed(
      (value) =>
        (typeof value === 'string' ? zoneNamed(value) : undefined) ??
        new Unparsable('Must be the name of a time zone, such as Europe/Berlin.'),
    ),
  );
}

export const COMPARED_PERIODS = ['previous', 'year'] as const;
/** The range that a range is compared with: the one of the same length before it, or the same one a year before. */
export type ComparedPeriod = (typeof COMPARED_PERIODS)[number];

const PRECISIONS = ['exact', 'approximate'] as const;

/** The parameters of the counts by time. */
export class EventCountsDto extends FilteredDto {
  @RangeStart('midnight')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @ApiPropertyOptional({
    type: String,
    default: 'events',
    example: 'events',
    description:
      'What is measured: `events`, `sessions`, or of a property `unique:<path>` (how many different values), ' +
      '`sum:`, `avg:`, `min:`, `max:`, `p50:`, `p90:`, `p95:` or `p99:<path>` (of its numbers), e.g. `avg:data.price`.',
  })
  @ParsedText(parseMeasure)
  measure: Measure = { kind: 'events' };

  @Choice(
    PRECISIONS,
    'Whether unique values and percentiles may be estimated, in less time and memory.',
    'exact',
  )
  precision: (typeof PRECISIONS)[number] = 'exact';

  @Choice(COMPARED_PERIODS, 'Measures another range too: the one before, or the same one a year before.')
  compare?: ComparedPeriod;

  @Choice(BUCKET_INTERVALS, 'The length of a bucket.', 'hour')
  interval: BucketInterval = 'hour';

  @Choice(Object.keys(WEEK_STARTS), 'The day on which a week begins.', 'monday')
  week_start: WeekStart = 'monday';

  @Zone()
  timezone: string = 'UTC';

  @ApiPropertyOptional({
    type: String,
    example: 'category',
    description:
      'One series for each of the largest groups instead of one for all events: `type`, or one or two of `application`, ' +
      '`category`, `name`, `session_id` and paths inside `data`, with a comma, e.g. `category,data.path`.',
  })
  @ParsedText(parseDimensions)
  group_by?: Property[];

  @Limit(10, MAX_GROUPS, 'Groups with a series of their own; all others share one.')
  limit: number = 10;
}
