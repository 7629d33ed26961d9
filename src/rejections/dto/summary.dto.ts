import { ApiProperty } from '@nestjs/swagger';
import { Bound, Choice, Filter } from '../../platform/paging/parameters.js';
import { REJECTION_CODES, type RejectionCode } from '../../platform/model/rejection.js';

export const INTERVALS = ['minute', 'hour', 'day'] as const;
export type Interval = (typeof INTERVALS)[number];

/** What can be asked of the summary. */
export class SummaryDto {
  @Choice(INTERVALS, 'The length of a bucket of time.', 'hour')
  interval?: Interval;

  @Bound(
    'after',
    'In the first bucket: a date-time or a date. Unless given, 60 minutes, 24 hours or 30 days of buckets.',
    '2026-01-01',
  )
  from?: string;

  @Bound('before', 'In the last bucket: a date-time, or a date for its end. Unless given, now.', '2026-01-31')
  to?: string;

  @Filter('Sent by one application, by its name.', 'default')
  application?: string;

  @Choice(REJECTION_CODES, 'Refused for one reason.')
  code?: RejectionCode;
}

export class SummaryCountResponse {
  @ApiProperty({ format: 'date-time', description: 'When the bucket begins.' })
  time: string;

  @ApiProperty({ example: 'default' })
  application: string;

  @ApiProperty({ enum: REJECTION_CODES })
  code: RejectionCode;

  @ApiProperty({ description: 'Empty where none came, or in a minute with more types than are told apart.' })
  category: string;

  @ApiProperty({ description: 'Empty where none came, or in a minute with more types than are told apart.' })
  name: string;

  @ApiProperty({ example: 12, description: 'Exact.' })
  count: number;
}

export class SummaryResponse {
  @ApiProperty({ enum: INTERVALS })
  interval: Interval;

  @ApiProperty({ format: 'date-time', description: 'When the first bucket begins.' })
  from: string;

  @ApiProperty({ format: 'date-time', description: 'When the last bucket ends.' })
  to: string;

  @ApiProperty({ example: 12, description: 'The sum of all counts.' })
  total: number;

  @ApiProperty({
    type: [SummaryCountResponse],
    description: 'Only what occurred; by time, application, code and type.',
  })
  results: SummaryCountResponse[];
}
