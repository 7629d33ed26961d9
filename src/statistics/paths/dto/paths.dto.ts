import { ApiProperty } from '@nestjs/swagger';
import type { Filter, Property } from '../../../platform/filters/filter.js';
import { IsGiven } from '../../../platform/http/valid.decorator.js';
import { Limit, RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';
import { By, EXAMPLE_STEP, OneOf, ParsedField, PropertyField, SESSION, Where } from '../../steps/fields.js';
import { StepDto } from '../../steps/step.dto.js';
import { parseStep, type Step } from '../../steps/step.js';

export const DIRECTIONS = ['after', 'before'] as const;
export type Direction = (typeof DIRECTIONS)[number];

const MAX_DEPTH = 5;
const MAX_PLACES = 50;

export class PathsDto {
  @ApiProperty({
    type: StepDto,
    example: EXAMPLE_STEP,
    description:
      'The event where paths begin, or with `direction` `before` end. The first one of a session counts.',
  })
  @ParsedField(parseStep)
  @IsGiven
  step: Step;

  @OneOf(DIRECTIONS, 'Whether paths lead to the events after the step, or back to those before it.', 'after')
  direction: Direction = 'after';

  @Limit(3, MAX_DEPTH, 'Events of a path beside the step.')
  depth: number = 3;

  @PropertyField(
    'Follows the values of this property, and leaves out events without a text, a number, true or false there. By default, ' +
      'types of events are followed.',
    'data.path',
  )
  by_property?: Property;

  @RangeStart('midnight UTC')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @Limit(10, MAX_PLACES, 'Nodes of each level; all others of the level share one.')
  limit: number = 10;

  @By()
  by: Property = SESSION;

  @Where()
  where?: Filter;
}
