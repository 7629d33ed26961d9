import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Filter, Property } from '../../../platform/filters/filter.js';
import { IsGiven } from '../../../platform/http/valid.decorator.js';
import { Limit, RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';
import { WEEK_STARTS, type WeekStart } from '../../buckets.js';
import { Zone } from '../../dto/parameters.dto.js';
import { By, EXAMPLE_STEP, OneOf, ParsedField, SESSION, Where } from '../../steps/fields.js';
import { RangeResponse, StepDto } from '../../steps/step.dto.js';
import { parseStep, type Step } from '../../steps/step.js';

const INTERVALS = ['day', 'week', 'month'] as const;
type Interval = (typeof INTERVALS)[number];

const MAX_PERIODS = 60;

export class RetentionDto {
  @ApiProperty({
    type: StepDto,
    example: EXAMPLE_STEP,
    description: 'What those of a cohort did in its period.',
  })
  @ParsedField(parseStep)
  @IsGiven
  start: Step;

  @ApiPropertyOptional({
    type: StepDto,
    example: { category: 'form interaction', name: 'submit' },
    description: 'What those do who return; any event by default.',
  })
  @ParsedField(parseStep)
  return?: Step;

  @RangeStart('midnight')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @OneOf(INTERVALS, 'The length of a period.', 'day')
  interval: Interval = 'day';

  @OneOf(Object.keys(WEEK_STARTS), 'The day on which a week begins.', 'monday')
  week_start: WeekStart = 'monday';

  @Zone()
  timezone: string = 'UTC';

  @Limit(7, MAX_PERIODS, 'Periods after the one of a cohort.')
  periods: number = 7;

  @By()
  by: Property = SESSION;

  @Where()
  where?: Filter;
}

export class CohortResponse {
  @ApiProperty({
    format: 'date-time',
    example: '2021-01-01T00:00:00.000000Z',
    description: 'The start of its period.',
  })
  start: string;

  @ApiProperty({ example: 120, description: 'Those with a `start` event in the period. Exact.' })
  size: number;

  @ApiProperty({
    type: 'array',
    items: { type: 'integer', nullable: true },
    example: [120, 43, null],
    description:
      'How many of them returned: in the period itself, not before their first `start` event in it, then in each period after it. ' +
      'Null in a period that lies after `to` or `as_of`, of which nothing is known.',
  })
  counts: (number | null)[];
}

export class RetentionResponse extends RangeResponse {
  @ApiProperty({ enum: INTERVALS })
  interval: Interval;

  @ApiProperty({ example: 'UTC' })
  timezone: string;

  @ApiProperty({
    type: [CohortResponse],
    description: 'One for each period of the range, including empty ones. Somebody may be in several.',
  })
  cohorts: CohortResponse[];
}
