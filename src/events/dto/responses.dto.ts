import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { CopiedPageResponse } from '../../platform/paging/page-response.js';
import { EXAMPLE_STORED } from './example.js';

/** A stored event. Only the fields listed here leave the service. */
export class EventResponse {
  @ApiProperty({
    format: 'uuid',
    example: EXAMPLE_STORED.id,
    description: 'UUIDv8 of the timestamp and of all fields.',
  })
  id: string;

  @ApiProperty({ example: EXAMPLE_STORED.application, description: 'The application that sent it.' })
  application: string;

  @ApiProperty({ example: EXAMPLE_STORED.session_id })
  session_id: string;

  @ApiProperty({ example: EXAMPLE_STORED.category })
  category: string;

  @ApiProperty({ example: EXAMPLE_STORED.name })
  name: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: EXAMPLE_STORED.data,
  })
  data: Record<string, unknown>;

  @ApiProperty({
    format: 'date-time',
    example: EXAMPLE_STORED.timestamp,
    description: 'UTC, six fractional digits.',
  })
  timestamp: string;
}

export class EventPageResponse extends CopiedPageResponse {
  @ApiProperty({ type: [EventResponse] })
  results: EventResponse[];
}

export class QueuedEventResponse {
  @ApiProperty({ format: 'uuid', example: EXAMPLE_STORED.id })
  id: string;

  @ApiProperty({ enum: ['queued'] })
  status: 'queued';
}

export class RefusedEventResponse {
  @ApiProperty({ example: 1, description: 'Position in the request, from 0.' })
  index: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { timestamp: ['This day does not exist.'] },
    description: 'Of 20 fields at most. Empty for the events that `errors_left_out` counts.',
  })
  errors: Record<string, string[]>;
}

export class QueuedBatchResponse {
  @ApiProperty({ example: 2 })
  accepted: number;

  @ApiProperty({ type: [RefusedEventResponse] })
  rejected: RefusedEventResponse[];

  @ApiPropertyOptional({
    example: 4000,
    description:
      'Refused events, the last ones, whose errors are left out because they would make the response too large.',
  })
  errors_left_out?: number;

  @ApiProperty({
    type: [String],
    format: 'uuid',
    description: 'Ids of the accepted events, in their order.',
    example: [EXAMPLE_STORED.id],
  })
  ids: string[];

  @ApiPropertyOptional({
    type: [EventResponse],
    description: 'With `Prefer: wait`: the stored events, in their order.',
  })
  results?: EventResponse[];
}
