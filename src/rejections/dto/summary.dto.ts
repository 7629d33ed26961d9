import { ApiProperty } from '@nestjs/swagger';
import { Choice, FilterParameter, InstantBound } from '../../platform/paging/parameters.js';
import { REJECTION_CODES, type RejectionCode } from '../../platform/model/rejection.js';
import type { Timestamp } from '../../platform/time/timestamp.js';

export const SUMMARY_INTERVALS = ['minute', 'hour', 'day'] as const;
export type SummaryInterval = (typeof SUMMARY_INTERVALS)[number];

/** Query parameters of `GET /rejections/summary`. */
export class SummaryDto {
  @Choice(SUMMARY_INTERVALS, 'The length of a bucket of time.', 'hour')
  interval?: SummaryInterval;

  @InstantBound(
    'after',
    'A time in the first bucket: a date-time or a date. By default the summary has 60 minutes, 24 hours or 30 days.',
    '2026-01-01',
  )
  from?: Timestamp;

  @InstantBound(
    'before',
    'A time in the last bucket: a date-time, or a date for its end. By default now.',
    '2026-01-31',
  )
  to?: Timestamp;

  @FilterParameter('Events of one application, by its name.', 'default')
  application?: string;

  @Choice(REJECTION_CODES, 'Events refused for one reason.')
  code?: RejectionCode;
}

export class SummaryCountResponse {
  @ApiProperty({ format: 'date-time', description: 'Start of the bucket.' })
  time: string;

  @ApiProperty({ example: 'default' })
  application: string;

  @ApiProperty({ enum: REJECTION_CODES })
  code: RejectionCode;

  @ApiProperty({
    description: 'Empty if the event had none, or in a minute with too many types to count them separately.',
  })
  category: string;

  @ApiProperty({
    description: 'Empty if the event had none, or in a minute with too many types to count them separately.',
  })
  name: string;

  @ApiProperty({ example: 12, description: 'Exact.' })
  count: number;
}

export class SummaryResponse {
  @ApiProperty({ enum: SUMMARY_INTERVALS })
  interval: SummaryInterval;

  @ApiProperty({ format: 'date-time', description: 'Start of the first bucket.' })
  from: string;

  @ApiProperty({ format: 'date-time', description: 'End of the last bucket.' })
  to: string;

  @ApiProperty({ example: 12, description: 'The sum of all counts.' })
  total: number;

  @ApiProperty({
    type: [SummaryCountResponse],
    description: 'Counts above zero, by time, application, code and type.',
  })
  results: SummaryCountResponse[];
}
