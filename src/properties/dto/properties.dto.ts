import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional } from 'class-validator';
import { FilteredDto, PropertyParameter } from '../../platform/filters/filtered.dto.js';
import type { Property } from '../../platform/filters/filter.js';
import { Limit, RangeEnd, RangeStart } from '../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../platform/time/timestamp.js';
import { VALUE_TYPES, type ValueType } from '../value-type.js';

export class PropertiesDto extends FilteredDto {
  @RangeStart('midnight UTC')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @ApiPropertyOptional({
    type: String,
    description: 'Properties whose names begin with this one, for suggestions.',
    example: 'data.ho',
  })
  @IsOptional()
  @PropertyParameter()
  begins?: Property;

  @Limit(50, 200, 'Properties in the answer.')
  limit: number = 50;
}

export class PropertyTypeResponse {
  @ApiProperty({ enum: VALUE_TYPES })
  type: ValueType;

  @ApiProperty({ example: 12, description: 'Events with a value of this type.' })
  events: number;

  @ApiProperty({
    description: 'The newest value of this type. A text is cut after 200 characters; a long list is null.',
    example: 'www.consumeraffairs.com',
    nullable: true,
    oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }, { type: 'array', items: {} }],
  })
  example: unknown;
}

export class PropertyResponse {
  @ApiProperty({ example: 'data.host', description: 'As filters and `property` name it.' })
  property: string;

  @ApiProperty({ example: 12, description: 'Events with a value here.' })
  events: number;

  @ApiProperty({ type: [PropertyTypeResponse], description: 'Most frequent first.' })
  types: PropertyTypeResponse[];
}

export class PropertiesResponse {
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

  @ApiProperty({ example: 12, description: 'All matching events.' })
  events: number;

  @ApiProperty({ example: 3, description: 'Properties of these events, including those beyond `limit`.' })
  total: number;

  @ApiProperty({ type: [PropertyResponse], description: 'Most frequent first.' })
  properties: PropertyResponse[];
}
