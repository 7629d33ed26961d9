import { ApiProperty } from '@nestjs/swagger';

/** The range of an answer, and how far ClickHouse is. */
class RangeResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-01-04T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({
    format: 'date-time',
    example: '2021-01-04T09:15:29.243860Z',
    description: 'Every event that was stored by then is in the answer.',
  })
  as_of: string;
}

class ApplicationCountResponse {
  @ApiProperty({ example: 'default' })
  application: string;

  @ApiProperty({ example: 12 })
  count: number;
}

class CategoryCountResponse {
  @ApiProperty({ example: 'page interaction' })
  category: string;

  @ApiProperty({ example: 12 })
  count: number;
}

class NameCountResponse {
  @ApiProperty({ example: 'pageview' })
  name: string;

  @ApiProperty({ example: 12 })
  count: number;
}

class TypeCountResponse {
  @ApiProperty({ example: 'page interaction' })
  category: string;

  @ApiProperty({ example: 'pageview' })
  name: string;

  @ApiProperty({ example: 12 })
  count: number;
}

export class TopResponse extends RangeResponse {
  @ApiProperty({ example: 12, description: 'All matching events.' })
  total: number;

  @ApiProperty({ type: [ApplicationCountResponse], description: 'Largest first, as in the other lists.' })
  applications: ApplicationCountResponse[];

  @ApiProperty({ type: [CategoryCountResponse] })
  categories: CategoryCountResponse[];

  @ApiProperty({ type: [NameCountResponse] })
  names: NameCountResponse[];

  @ApiProperty({ type: [TypeCountResponse] })
  types: TypeCountResponse[];
}

class TopValueResponse {
  @ApiProperty({
    example: '/',
    description: 'A text, a number, true or false.',
    oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }],
  })
  value: string | number | boolean;

  @ApiProperty({ example: 9 })
  events: number;

  @ApiProperty({ example: 4, description: 'Different sessions of these events.' })
  sessions: number;

  @ApiProperty({ example: 0.45, description: 'Of all matching events of the range.' })
  share: number;

  @ApiProperty({ example: 6, description: 'Events in the range that it is compared with.' })
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

class ComparedRangeResponse {
  @ApiProperty({ format: 'date-time', example: '2020-12-29T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;
}

export class TopValuesResponse extends RangeResponse {
  @ApiProperty({ example: 'data.path' })
  property: string;

  @ApiProperty({ example: 20, description: 'All matching events.' })
  total: number;

  @ApiProperty({
    example: 12,
    description: 'Matching events in which the property is a text, a number, true or false.',
  })
  events: number;

  @ApiProperty({
    type: ComparedRangeResponse,
    nullable: true,
    description: 'The range of `previous_events`. Null if it would begin before the year 0001.',
  })
  compared: ComparedRangeResponse | null;

  @ApiProperty({ type: [TopValueResponse], description: 'Most frequent first.' })
  values: TopValueResponse[];

  @ApiProperty({ type: OtherValuesResponse })
  others: OtherValuesResponse;
}
