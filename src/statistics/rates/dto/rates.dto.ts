import { ApiProperty } from '@nestjs/swagger';
import { RATES_WINDOW_SECONDS } from '../pending-deltas.js';

class BacklogResponse {
  @ApiProperty({
    type: 'integer',
    example: 1200,
    description: 'Events that are accepted and not yet stored.',
  })
  events: number;

  @ApiProperty({
    type: 'integer',
    example: 3,
    description: 'The entries of the buffer, and the jobs of parked events, that hold these events.',
  })
  jobs: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 0.25,
    description: 'The age of the oldest of these; null if there is none.',
  })
  oldest_seconds: number | null;
}

/** Events of each second, the oldest first. */
function PerSecond(description: string): PropertyDecorator {
  return ApiProperty({
    type: 'array',
    items: { type: 'integer' },
    minItems: RATES_WINDOW_SECONDS,
    maxItems: RATES_WINDOW_SECONDS,
    description,
    example: [0, 120, 98],
  });
}

/** The sums of all processes in the last seconds. */
export class RatesResponse {
  @ApiProperty({
    format: 'date-time',
    example: '2026-11-25T00:00:00.000000Z',
    description: 'The end of the last second.',
  })
  now: string;

  @ApiProperty({ type: 'integer', example: RATES_WINDOW_SECONDS, description: 'The number of seconds.' })
  seconds: number;

  @PerSecond('Events put into the queue in each second, the oldest first.')
  accepted: number[];

  @PerSecond('Events stored in PostgreSQL.')
  stored: number[];

  @PerSecond('Events that were stored already.')
  duplicates: number[];

  @PerSecond('Events refused by The Eye or by PostgreSQL.')
  refused: number[];

  @ApiProperty()
  backlog: BacklogResponse;
}
