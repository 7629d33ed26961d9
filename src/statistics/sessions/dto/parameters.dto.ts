import { ApiPropertyOptional } from '@nestjs/swagger';
import { ParsedText } from '../../../platform/filters/filtered.dto.js';
import { Choice, Limit, RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';
import { SessionFilteredDto } from '../../../sessions/dto/parameters.dto.js';
import { type BucketInterval, BUCKET_INTERVALS, WEEK_STARTS, type WeekStart } from '../../buckets.js';
import { type ComparedPeriod, COMPARED_PERIODS, MAX_GROUPS, Zone } from '../../dto/parameters.dto.js';
import { parseSessionGrouping, type SessionGrouping } from '../session-grouping.js';

/** The parameters of the statistics of sessions. */
export class SessionStatisticsDto extends SessionFilteredDto {
  @RangeStart('midnight')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

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
    example: 'entry',
    description:
      'One series for each of the largest groups instead of one for all sessions: `entry` or `exit` (the type of the first or last ' +
      'event), or one or two of `application`, `category`, `name` and paths inside `data` of the first event, with a comma, ' +
      'e.g. `data.path`.',
  })
  @ParsedText(parseSessionGrouping)
  group_by?: SessionGrouping;

  @Limit(10, MAX_GROUPS, 'Groups with a series of their own; all others share one.')
  limit: number = 10;
}
