import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { type BucketInterval, BUCKET_INTERVALS } from '../buckets.js';
import { type GroupBy, GROUPS } from '../groups.js';

const EXAMPLE_COUNTS = [0, 3, 9];

/** The range that was counted. */
class RangeResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-01-04T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({ example: 12, description: 'All matching events. Exact, like all counts.' })
  total: number;
}

export class SeriesResponse {
  @ApiPropertyOptional({ description: 'With `group_by=application`.', example: 'default' })
  application?: string;

  @ApiPropertyOptional({ description: 'With `group_by=category` or `type`.', example: 'page interaction' })
  category?: string;

  @ApiPropertyOptional({ description: 'With `group_by=name` or `type`.', example: 'pageview' })
  name?: string;

  @ApiPropertyOptional({
    description: 'True in the series of all other groups, absent in the others.',
    example: true,
  })
  others?: boolean;

  @ApiPropertyOptional({ description: 'The number of other groups.', example: 180 })
  groups?: number;

  @ApiProperty({ example: 12 })
  total: number;

  @ApiProperty({ type: [Number], example: EXAMPLE_COUNTS, description: 'One count a bucket.' })
  counts: number[];
}

export class EventCountsResponse extends RangeResponse {
  @ApiProperty({ enum: BUCKET_INTERVALS })
  interval: BucketInterval;

  @ApiProperty({ example: 'UTC' })
  timezone: string;

  @ApiProperty({ type: String, enum: Object.keys(GROUPS), nullable: true, example: null })
  group_by: GroupBy | null;

  @ApiProperty({
    type: [String],
    format: 'date-time',
    description:
      'The start of each bucket, including empty ones. The first may begin before `from` but counts only from there.',
    example: ['2021-01-01T00:00:00.000000Z', '2021-01-02T00:00:00.000000Z', '2021-01-03T00:00:00.000000Z'],
  })
  buckets: string[];

  @ApiProperty({ type: [SeriesResponse], description: 'Largest first, the series of all other groups last.' })
  series: SeriesResponse[];
}

export class ApplicationCountResponse {
  @ApiProperty({ example: 'default' })
  application: string;

  @ApiProperty({ example: 12 })
  count: number;
}

export class CategoryCountResponse {
  @ApiProperty({ example: 'page interaction' })
  category: string;

  @ApiProperty({ example: 12 })
  count: number;
}

export class NameCountResponse {
  @ApiProperty({ example: 'pageview' })
  name: string;

  @ApiProperty({ example: 12 })
  count: number;
}

export class TypeCountResponse {
  @ApiProperty({ example: 'page interaction' })
  category: string;

  @ApiProperty({ example: 'pageview' })
  name: string;

  @ApiProperty({ example: 12 })
  count: number;
}

export class TopResponse extends RangeResponse {
  @ApiProperty({ type: [ApplicationCountResponse], description: 'Largest first, as in the other lists.' })
  applications: ApplicationCountResponse[];

  @ApiProperty({ type: [CategoryCountResponse] })
  categories: CategoryCountResponse[];

  @ApiProperty({ type: [NameCountResponse] })
  names: NameCountResponse[];

  @ApiProperty({ type: [TypeCountResponse] })
  types: TypeCountResponse[];
}

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

  @ApiProperty({ type: [String], format: 'date-time', description: 'The start of each bucket.' })
  buckets: string[];

  @ApiProperty({
    type: [MeasuredSeriesResponse],
    description: 'Largest first, the series of all other groups last.',
  })
  series: MeasuredSeriesResponse[];
}

export class MeasuredResponse extends MeasuredRangeResponse {
  @ApiProperty({ example: 'avg:data.price' })
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
    type: String,
    format: 'date-time',
    nullable: true,
    description:
      'Every event that was stored by then is in the answer. Null until ClickHouse has a first copy.',
    example: '2021-01-04T00:00:00.000000Z',
  })
  as_of: string | null;

  @ApiPropertyOptional({
    type: MeasuredRangeResponse,
    description: 'The other range, with `compare`. It has the same groups.',
  })
  compared?: MeasuredRangeResponse;
}
