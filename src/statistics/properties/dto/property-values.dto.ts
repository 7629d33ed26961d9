import { ApiProperty } from '@nestjs/swagger';
import { FilteredDto, RequiredPropertyParameter } from '../../../platform/filters/filtered.dto.js';
import type { Property } from '../../../platform/filters/filter.js';
import { Limit, RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';

export class PropertyValuesDto extends FilteredDto {
  @ApiProperty({
    type: String,
    description: 'A path inside `data`, or `application`, `category`, `name` or `session_id`.',
    example: 'data.host',
  })
  @RequiredPropertyParameter()
  property: Property;

  @RangeStart('midnight UTC')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @Limit(10, 100, 'Values in the answer.')
  limit: number = 10;
}

export class PropertyValueResponse {
  @ApiProperty({
    example: 'www.consumeraffairs.com',
    description: 'A text, a number, true or false.',
    oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }],
  })
  value: string | number | boolean;

  @ApiProperty({ example: 9 })
  events: number;

  @ApiProperty({ example: 4, description: 'Different sessions of these events.' })
  sessions: number;

  @ApiProperty({ example: 0.75, description: 'Of all events that have such a value.' })
  share: number;

  @ApiProperty({ example: 6, description: 'Events in the period of the same length before `from`.' })
  previous_events: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 0.5,
    description: 'Growth against `previous_events`: 0.5 is half as many more. Null if there were none.',
  })
  change: number | null;
}

class OtherValuesResponse {
  @ApiProperty({ example: 1, description: 'Different values beyond `limit`.' })
  values: number;

  @ApiProperty({ example: 3 })
  events: number;
}

export class PropertyValuesResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-02-01T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({
    format: 'date-time',
    example: '2021-02-01T09:15:29.243860Z',
    description: 'Every event that was stored until then is counted.',
  })
  as_of: string;

  @ApiProperty({ example: 'data.host' })
  property: string;

  @ApiProperty({
    example: 12,
    description: 'Matching events in which the property is a text, a number, true or false.',
  })
  events: number;

  @ApiProperty({ type: [PropertyValueResponse], description: 'Most frequent first.' })
  values: PropertyValueResponse[];

  @ApiProperty({ type: OtherValuesResponse })
  others: OtherValuesResponse;
}
