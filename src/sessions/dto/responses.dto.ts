import { ApiProperty } from '@nestjs/swagger';
import { EXAMPLE_STORED } from '../../events/dto/example.js';
import { EventResponse } from '../../events/dto/responses.dto.js';
import { PageResponse } from '../../platform/paging/page-response.js';

class SessionEndResponse {
  @ApiProperty({ example: EXAMPLE_STORED.category })
  category: string;

  @ApiProperty({ example: EXAMPLE_STORED.name })
  name: string;
}

/** A session; every value is exact. */
export class SessionResponse {
  @ApiProperty({ example: EXAMPLE_STORED.session_id })
  session_id: string;

  @ApiProperty({
    format: 'date-time',
    example: EXAMPLE_STORED.timestamp,
    description: 'The timestamp of its first event.',
  })
  first: string;

  @ApiProperty({
    format: 'date-time',
    example: EXAMPLE_STORED.timestamp,
    description: 'The timestamp of its last event.',
  })
  last: string;

  @ApiProperty({ example: 0, description: 'Seconds from its first event to its last, to the microsecond.' })
  duration: number;

  @ApiProperty({ example: 1, description: 'The number of its events.' })
  events: number;

  @ApiProperty({
    type: [String],
    example: [EXAMPLE_STORED.application],
    description: 'The applications that sent its events.',
  })
  applications: string[];

  @ApiProperty({
    type: [String],
    example: [EXAMPLE_STORED.category],
    description: 'The categories of its events.',
  })
  categories: string[];

  @ApiProperty({ type: SessionEndResponse, description: 'The type of its first event.' })
  entry: SessionEndResponse;

  @ApiProperty({ type: SessionEndResponse, description: 'The type of its last event.' })
  exit: SessionEndResponse;
}

export class SessionPageResponse extends PageResponse {
  @ApiProperty({
    format: 'date-time',
    example: EXAMPLE_STORED.timestamp,
    description: 'Every event that was stored until then is in the sessions.',
  })
  as_of: string;

  @ApiProperty({ type: [SessionResponse] })
  results: SessionResponse[];
}

export class SessionEventResponse extends EventResponse {
  @ApiProperty({
    type: Number,
    nullable: true,
    example: null,
    description: 'Seconds since the previous event, to the microsecond; null for the first event.',
  })
  elapsed: number | null;
}

export class SessionEventsResponse extends SessionResponse {
  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri-reference',
    description: 'The next page of events.',
  })
  next: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri-reference',
    description: 'The previous page of events.',
  })
  previous: string | null;

  @ApiProperty({
    type: [SessionEventResponse],
    description: 'Ordered by timestamp, then by id.',
  })
  results: SessionEventResponse[];
}
