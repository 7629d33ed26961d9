import { ApiPropertyOptional } from '@nestjs/swagger';
import type { Property } from '../../../platform/filters/filter.js';
import { FilteredDto, PropertyParameter } from '../../../platform/filters/filtered.dto.js';
import { Choice, Limit, RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';
import { type ComparedPeriod, COMPARED_PERIODS, MAX_GROUPS } from '../../dto/parameters.dto.js';

/** The parameters of the largest groups and values. */
export class TopDto extends FilteredDto {
  @RangeStart('midnight')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @ApiPropertyOptional({
    type: String,
    description:
      'Ranks the values of this property: a path inside `data`, or `application`, `category`, `name` or `session_id`.',
    example: 'data.path',
  })
  @PropertyParameter()
  property?: Property;

  @Choice(
    COMPARED_PERIODS,
    'With `property`: the range that `change` compares with, the one before or the same one a year before; `previous` by default.',
  )
  compare?: ComparedPeriod;

  @Limit(10, MAX_GROUPS, 'Entries of each list.')
  limit: number = 10;
}
