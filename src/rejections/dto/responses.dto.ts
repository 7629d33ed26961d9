import { ApiProperty } from '@nestjs/swagger';
import type { FieldErrors } from '../../platform/http/problem.js';
import { PageResponse } from '../../platform/paging/page-response.js';
import {
  type Outcome,
  OUTCOMES,
  REJECTION_CODES,
  type RejectionCode,
} from '../../platform/model/rejection.js';

/** A rejection: a whitelist of what leaves. */
export class RejectionResponse {
  @ApiProperty({ format: 'uuid', description: "The rejection's own." })
  id: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: "The event's, where it was accepted.",
  })
  event_id: string | null;

  @ApiProperty({ example: 'default' })
  application: string;

  @ApiProperty({ enum: OUTCOMES })
  outcome: Outcome;

  @ApiProperty({ enum: REJECTION_CODES, description: 'Stable, for programs.' })
  code: RejectionCode;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { timestamp: ['This day does not exist.'] },
    description: 'Messages by field.',
  })
  errors: FieldErrors;

  @ApiProperty({
    oneOf: [
      { type: 'object', additionalProperties: true },
      { type: 'array', items: {} },
      { type: 'string' },
      { type: 'number' },
      { type: 'boolean' },
    ],
    nullable: true,
    description:
      'As it came: a JSON value; the text where it is no JSON, cannot be read exactly or was cut; null where it was not read.',
  })
  event: unknown;

  @ApiProperty({ description: 'False where `event` was cut or not read; then it cannot be retried.' })
  whole: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'From the event, where it is a text.' })
  session_id: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'From the event, where it is a text.' })
  category: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'From the event, where it is a text.' })
  name: string | null;

  @ApiProperty({ format: 'date-time', description: 'UTC, six fractional digits.' })
  rejected_at: string;
}

export class RejectionPageResponse extends PageResponse {
  @ApiProperty({ type: [RejectionResponse] })
  results: RejectionResponse[];
}
