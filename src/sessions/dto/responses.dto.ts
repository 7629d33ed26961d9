import { ApiProperty } from '@nestjs/swagger';
import { EXAMPLE_STORED } from '../../events/dto/example.js';
import { EventResponse } from '../../events/dto/responses.dto.js';
import { PageResponse } from '../../platform/paging/page-response.js';

/** A session as its events say; exact. */
export class SessionResponse {
  @ApiProperty({ example: EXAMPLE_STORED.session_id })
  session_id: string;

  @ApiProperty({ format: 'date-time', example: EXAMPLE_STORED.timestamp, description: 'Of its first event.' })
  first: string;

  @ApiProperty({ format: 'date-time', example: EXAMPLE_STORED.timestamp, description: 'Of its last event.' })
  last: string;

  @ApiProperty({ example: 1, description: 'How many there are.' })
  events: number;

  @ApiProperty({ type: [String], example: [EXAMPLE_STORED.application], description: 'That sent into it.' })
  applications: string[];

  @ApiProperty({ type: [String], example: [EXAMPLE_STORED.category], description: 'Of its events.' })
  categories: string[];
}

export class SessionPageResponse extends PageResponse {
  @ApiProperty({ type: [SessionResponse] })
  results: SessionResponse[];
}

export class SessionEventResponse extends EventResponse {
  @ApiProperty({
    type: Number,
    nullable: true,
    example: null,
    description: 'Seconds since the event before, to the microsecond; null for the first event.',
  })
  elapsed: number | null;
}

export class SessionEventsResponse extends SessionResponse {
  @ApiProperty({ type: String, nullable: true, format: 'uri', description: 'The events after these.' })
  next: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'uri', description: 'The events before these.' })
  previous: string | null;

  @ApiProperty({
    type: [SessionEventResponse],
    description: 'In the order in which they happened; at the same timestamp, by their ids.',
  })
  results: SessionEventResponse[];
}
