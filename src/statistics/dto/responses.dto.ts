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
