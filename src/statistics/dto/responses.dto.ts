import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type BucketInterval, BUCKET_INTERVALS } from '../buckets.js';

const EXAMPLE_COUNTS = [0, 3, 9];

export class MeasuredSeriesResponse {
  @ApiPropertyOptional({ description: 'If events are grouped by it.', example: 'default' })
  application?: string;

  @ApiPropertyOptional({ description: 'If events are grouped by it.', example: 'page interaction' })
  category?: string;

  @ApiPropertyOptional({ description: 'If events are grouped by it.', example: 'pageview' })
  name?: string;

  @ApiPropertyOptional({ description: 'If events are grouped by it.', example: 'visit-1' })
  session_id?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: {},
    example: { 'data.path': '/' },
    description:
      'The values of the paths that events are grouped by: a text, a number or a boolean; null for everything else.',
  })
  properties?: Record<string, unknown>;

  @ApiPropertyOptional({ description: 'True in the series of all other groups.', example: true })
  others?: boolean;

  @ApiPropertyOptional({ description: 'The number of other groups.', example: 180 })
  groups?: number;

  @ApiPropertyOptional({ description: 'With `measure=events`.', example: 12 })
  total?: number;

  @ApiPropertyOptional({ type: [Number], example: EXAMPLE_COUNTS, description: 'With `measure=events`.' })
  counts?: number[];

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    example: 19.9,
    description:
      'The measure of the whole range, with any other measure. Null where there is nothing to measure.',
  })
  value?: number | null;

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'number', nullable: true },
    example: [null, 19.9, 20.1],
    description: 'The measure of each bucket, with any other measure.',
  })
  values?: (number | null)[];
}

export class MeasuredRangeResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-01-04T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiPropertyOptional({ description: 'All matching events, with `measure=events`.', example: 12 })
  total?: number;

  @ApiPropertyOptional({
    type: Number,
    nullable: true,
    description: 'The measure of all matching events, with any other measure.',
    example: 19.9,
  })
  value?: number | null;

  @ApiProperty({
    type: [String],
    format: 'date-time',
    description:
      'The start of each bucket, including empty ones. The first may begin before `from` but has only what is later.',
    example: ['2021-01-01T00:00:00.000000Z', '2021-01-02T00:00:00.000000Z', '2021-01-03T00:00:00.000000Z'],
  })
  buckets: string[];

  @ApiProperty({
    type: [MeasuredSeriesResponse],
    description: 'Largest first, the series of all other groups last.',
  })
  series: MeasuredSeriesResponse[];
}

export class MeasuredResponse extends MeasuredRangeResponse {
  @ApiProperty({ example: 'events' })
  measure: string;

  @ApiProperty({ enum: BUCKET_INTERVALS })
  interval: BucketInterval;

  @ApiProperty({ example: 'UTC' })
  timezone: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  group_by: string | null;

  @ApiPropertyOptional({ description: 'True with `precision=approximate`.', example: true })
  approximate?: boolean;

  @ApiProperty({
    format: 'date-time',
    description: 'Every event that was stored by then is in the answer.',
    example: '2021-01-04T00:00:00.000000Z',
  })
  as_of: string;

  @ApiPropertyOptional({
    type: MeasuredRangeResponse,
    description: 'The other range, with `compare`. It has the same groups.',
  })
  compared?: MeasuredRangeResponse;
}
