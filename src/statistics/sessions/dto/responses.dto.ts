import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { BUCKET_INTERVALS, type BucketInterval } from '../../buckets.js';

/** Measures of some sessions. */
export class SessionMeasuresResponse {
  @ApiProperty({ example: 120 })
  sessions: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 0.25,
    description:
      'The share of sessions with one event. Null, like the other measures, where there is no session.',
  })
  bounce_share: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 73.5,
    description: 'Seconds from the first event to the last that half of the sessions do not exceed.',
  })
  median_duration: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 410.2,
    description: 'Seconds that 90 percent of the sessions do not exceed.',
  })
  p90_duration: number | null;

  @ApiProperty({ type: Number, nullable: true, example: 8.4, description: 'Events a session on average.' })
  events_per_session: number | null;
}

class SessionTypeResponse {
  @ApiProperty({ example: 'page interaction' })
  category: string;

  @ApiProperty({ example: 'pageview' })
  name: string;
}

export class SessionSeriesResponse {
  @ApiPropertyOptional({ type: SessionTypeResponse, description: 'With `group_by=entry`.' })
  entry?: SessionTypeResponse;

  @ApiPropertyOptional({ type: SessionTypeResponse, description: 'With `group_by=exit`.' })
  exit?: SessionTypeResponse;

  @ApiPropertyOptional({ description: 'If sessions are grouped by it.', example: 'default' })
  application?: string;

  @ApiPropertyOptional({ description: 'If sessions are grouped by it.', example: 'page interaction' })
  category?: string;

  @ApiPropertyOptional({ description: 'If sessions are grouped by it.', example: 'pageview' })
  name?: string;

  @ApiPropertyOptional({ description: 'If sessions are grouped by it.', example: 'visit-1' })
  session_id?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: {},
    example: { 'data.path': '/' },
    description:
      'The values of the paths that sessions are grouped by; null for everything but texts, numbers and booleans.',
  })
  properties?: Record<string, unknown>;

  @ApiPropertyOptional({ description: 'True in the series of all other groups.', example: true })
  others?: boolean;

  @ApiPropertyOptional({ description: 'The number of other groups.', example: 180 })
  groups?: number;

  @ApiProperty({ type: SessionMeasuresResponse, description: 'Of the whole range.' })
  total: SessionMeasuresResponse;

  @ApiProperty({ type: [SessionMeasuresResponse], description: 'Of each bucket.' })
  values: SessionMeasuresResponse[];
}

export class SessionRangeResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-01-04T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({ type: SessionMeasuresResponse, description: 'Of all matching sessions.' })
  total: SessionMeasuresResponse;

  @ApiProperty({ type: [String], format: 'date-time', description: 'The start of each bucket.' })
  buckets: string[];

  @ApiProperty({
    type: [SessionSeriesResponse],
    description: 'By the number of sessions, largest first; the series of all other groups last.',
  })
  series: SessionSeriesResponse[];
}

export class SessionStatisticsResponse extends SessionRangeResponse {
  @ApiProperty({ enum: BUCKET_INTERVALS })
  interval: BucketInterval;

  @ApiProperty({ example: 'UTC' })
  timezone: string;

  @ApiProperty({ type: String, nullable: true, example: null })
  group_by: string | null;

  @ApiProperty({
    format: 'date-time',
    description: 'Every event that was stored until then is in the answer.',
    example: '2021-01-04T00:00:00.000000Z',
  })
  as_of: string;

  @ApiPropertyOptional({
    type: SessionRangeResponse,
    description: 'The other range, with `compare`. It has the same groups.',
  })
  compared?: SessionRangeResponse;
}
