import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { Valid } from '../../platform/http/valid.decorator.js';
import { Bound, Choice, Filter } from '../../platform/paging/parameters.js';
import { type Interval, INTERVALS, zoneNamed } from '../buckets.js';
import { type GroupBy, GROUPS } from '../groups.js';

const MOST_GROUPS = 100;

/** How many groups are told apart. */
function Limit(byDefault: number, description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 1,
      maximum: MOST_GROUPS,
      default: byDefault,
      description,
    }),
    Type(() => Number),
    IsInt({ message: 'Must be a whole number.' }),
    Min(1, { message: 'Must be at least 1.' }),
    Max(MOST_GROUPS, { message: `Must be at most ${MOST_GROUPS}.` }),
  );
}

function Zone(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      default: 'UTC',
      example: 'Europe/Berlin',
      description: 'A time zone by its IANA name, whose hours, days and weeks are meant.',
    }),
    Valid((value) =>
      typeof value === 'string' && zoneNamed(value) !== undefined
        ? undefined
        : 'Must be the name of a time zone, such as Europe/Berlin.',
    ),
  );
}

/** Which events are counted. */
class CountedDto {
  @Bound(
    'after',
    'From here on, inclusive: a date-time, or a date, which begins at its midnight. Unless given, 24 hours before `to`.',
    '2021-01-01',
  )
  from?: string;

  @Bound(
    'before',
    'Up to here, exclusive: a date-time, or a date, for its end. Unless given, now.',
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

/** What can be asked of the counts by time. */
export class EventCountsDto extends CountedDto {
  @Choice(INTERVALS, 'The length of a bucket of time. A week begins on Monday.', 'hour')
  interval: Interval = 'hour';

  @Zone()
  timezone: string = 'UTC';

  @Choice(Object.keys(GROUPS), 'A series of each of the largest groups, instead of one series of all events.')
  @IsOptional()
  group_by?: GroupBy;

  @Limit(10, 'Groups that are told apart; all others are one series.')
  limit: number = 10;
}

/** What can be asked of the largest groups. */
export class TopDto extends CountedDto {
  @Limit(10, 'Entries of each list.')
  limit: number = 10;
}
