import { ApiProperty } from '@nestjs/swagger';
import { SECONDS } from '../event-rates.js';

class BacklogResponse {
  @ApiProperty({ type: 'integer', example: 1200, description: 'Accepted, and not yet stored.' })
  events: number;

  @ApiProperty({ type: 'integer', example: 3, description: 'The jobs that they are in.' })
  jobs: number;

  @ApiProperty({
    type: 'number',
    nullable: true,
    example: 0.25,
    description: 'The age of the oldest of these jobs; null where there is none.',
  })
  oldest_seconds: number | null;
}

/** Events of each second, the oldest first. */
function PerSecond(description: string): PropertyDecorator {
  return ApiProperty({
    type: 'array',
    items: { type: 'integer' },
    minItems: SECONDS,
    maxItems: SECONDS,
    description,
    example: [0, 120, 98],
  });
}

/** What all processes together did in the last seconds. */
export class RatesResponse {
  @ApiProperty({
    format: 'date-time',
    example: '2026-11-25T00:00:00.000000Z',
    description: 'When the last of these seconds ended.',
  })
  now: string;

  @ApiProperty({ type: 'integer', example: SECONDS, description: 'How many there are.' })
  seconds: number;

  @PerSecond('Taken into the queue in each second, the oldest first.')
  accepted: number[];

  @PerSecond('Stored in PostgreSQL.')
  stored: number[];

  @PerSecond('Found there already.')
  duplicates: number[];

  @PerSecond('Refused, by The Eye or by PostgreSQL.')
  refused: number[];

  @ApiProperty()
  backlog: BacklogResponse;
}
