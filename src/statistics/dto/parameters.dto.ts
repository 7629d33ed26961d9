import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { Valid } from '../../platform/http/valid.decorator.js';
import { Bound, Choice, Filter } from '../../platform/paging/parameters.js';
import { type BucketInterval, BUCKET_INTERVALS, zoneNamed } from '../buckets.js';
import { type GroupBy, GROUPS } from '../groups.js';

const MAX_GROUPS = 100;

/** The number of groups. */
function Limit(byDefault: number, description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 1,
      maximum: MAX_GROUPS,
      default: byDefault,
      description,
    }),
    Type(() => Number),
    IsInt({ message: 'Must be a whole number.' }),
    Min(1, { message: 'Must be at least 1.' }),
    Max(MAX_GROUPS, { message: `Must be at most ${MAX_GROUPS}.` }),
  );
}

function Zone(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      default: 'UTC',
      example: 'Europe/Berlin',
      description: 'The IANA name of the time zone of hours, days and weeks.',
    }),
    Valid((value) =>
      typeof value === 'string' && zoneNamed(value) !== undefined
        ? undefined
        : 'Must be the name of a time zone, such as Europe/Berlin.',
    ),
  );
}

/** The range and the filters of the counted events. */
class CountedDto {
  @Bound(
    'after',
    'Start of the range, inclusive: a date-time, or a date for its midnight. By default, 24 hours before `to`.',
    '2021-01-01',
  )
  from?: string;

  @Bound(
    'before',
    'End of the range, exclusive: a date-time, or a date for its end. By default, now.',
    '2021-01-31',
  )
  to?: string;

  @Filter('Events of one application, by its name.', 'default')
  application?: string;

  @Filter('Events of one category.', 'page interaction')
  category?: string;

  @Filter('Events of one name.', 'pageview')
  name?: string;
}

/** The parameters of the counts by time. */
export class EventCountsDto extends CountedDto {
  @Choice(BUCKET_INTERVALS, 'The length of a bucket. A week begins on Monday.', 'hour')
  interval: BucketInterval = 'hour';

  @Zone()
  timezone: string = 'UTC';

  @Choice(Object.keys(GROUPS), 'One series for each of the largest groups instead of one for all events.')
  @IsOptional()
  group_by?: GroupBy;

  @Limit(10, 'Groups with a series of their own; all others share one.')
  limit: number = 10;
}

/** The parameters of the largest groups. */
export class TopDto extends CountedDto {
  @Limit(10, 'Entries of each list.')
  limit: number = 10;
}
