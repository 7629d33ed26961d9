import { ApiProperty } from '@nestjs/swagger';
import { type AuditAction, AUDIT_ACTIONS } from '../../auth/audit.js';
import { PageResponse } from '../../platform/paging/page-response.js';

/** A change. Only the fields listed here leave the service. */
export class AuditEntryResponse {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ format: 'date-time', description: 'UTC, six fractional digits.' })
  at: string;

  @ApiProperty({
    example: 'eye_admin_Xb3pQz',
    description:
      'The prefix of the key that made it, `cli` for the command line, or `anybody` without a key.',
  })
  actor: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true, description: 'The id of that key.' })
  actor_key_id: string | null;

  @ApiProperty({ example: 'shop', description: 'The application that it concerns.' })
  application: string;

  @ApiProperty({ enum: AUDIT_ACTIONS })
  action: AuditAction;

  @ApiProperty({
    example: 'click/banner',
    description:
      'The name of the application, the id of the key, or the category and name of the event type.',
  })
  target: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { category: 'click', name: 'banner', version: 1, mode: 'enforce' },
    description: 'What it was changed to, without secrets.',
  })
  details: Record<string, unknown>;
}

export class AuditPageResponse extends PageResponse {
  @ApiProperty({ type: [AuditEntryResponse] })
  results: AuditEntryResponse[];
}
