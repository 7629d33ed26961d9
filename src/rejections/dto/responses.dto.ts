import { ApiProperty } from '@nestjs/swagger';
import type { FieldErrors } from '../../platform/errors/domain-error.js';
import { PageResponse } from '../../platform/paging/page-response.js';
import {
  type RejectionOutcome,
  REJECTION_OUTCOMES,
  REJECTION_CODES,
  type RejectionCode,
} from '../../platform/model/rejection.js';

/** A rejection. Only the fields listed here leave the service. */
export class RejectionResponse {
  @ApiProperty({ format: 'uuid', description: 'Id of the rejection.' })
  id: string;

  @ApiProperty({
    type: String,
    format: 'uuid',
    nullable: true,
    description: 'Id of the event, if it was accepted.',
  })
  event_id: string | null;

  @ApiProperty({ example: 'default' })
  application: string;

  @ApiProperty({ enum: REJECTION_OUTCOMES })
  outcome: RejectionOutcome;

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
      'The event as it was sent: a JSON value; its text if it is not JSON, cannot be parsed exactly, is nested too deep or was cut; null if it was not read.',
  })
  event: unknown;

  @ApiProperty({ description: 'False if `event` was cut or not read, so that it cannot be retried.' })
  whole: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'From the event, if it is a text.' })
  session_id: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'From the event, if it is a text.' })
  category: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'From the event, if it is a text.' })
  name: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'segment',
    description: 'The protocol that `event` is in; null for that of `POST /events/`.',
  })
  dialect: string | null;

  @ApiProperty({ format: 'date-time', description: 'UTC, six fractional digits.' })
  rejected_at: string;
}

export class RejectionPageResponse extends PageResponse {
  @ApiProperty({ type: [RejectionResponse] })
  results: RejectionResponse[];
}
