import { ApiProperty } from '@nestjs/swagger';
import { type Scope, SCOPES } from '../../auth/caller.js';

export class ApplicationResponse {
  @ApiProperty({ example: 'shop' })
  name: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-01T09:15:29.243860Z' })
  created_at: string;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 10_000,
    description: 'Event types that it may use; null for the limit of `TYPES_LIMIT`.',
  })
  types_limit: number | null;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: null,
    description: 'Days that its timestamps may lie in the past; null for the limit of `PAST_LIMIT`.',
  })
  past_limit: number | null;
}

export class KeyResponse {
  @ApiProperty({ format: 'uuid' })
  id: string;

  @ApiProperty({ example: 'shop' })
  application: string;

  @ApiProperty({ enum: SCOPES })
  scope: Scope;

  @ApiProperty({ description: 'False if the key is bound to its application.' })
  all_applications: boolean;

  @ApiProperty({
    example: 'eye_ingest_Xb3pQz',
    description: 'The beginning of the key, by which people distinguish keys.',
  })
  prefix: string;

  @ApiProperty({ type: [String], example: ['https://shop.example'] })
  allowed_origins: string[];

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Events a minute; null for the limit of `RATE_LIMIT`.',
  })
  rate_limit: number | null;

  @ApiProperty({ format: 'date-time' })
  created_at: string;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Null if the key does not expire.',
  })
  expires_at: string | null;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Up to a minute late; null if the key was never used.',
  })
  last_used_at: string | null;

  @ApiProperty({
    type: 'string',
    format: 'date-time',
    nullable: true,
    description: 'Null while the key is active.',
  })
  revoked_at: string | null;
}

export class ApplicationWithKeysResponse extends ApplicationResponse {
  @ApiProperty({ type: [KeyResponse], description: 'The oldest first.' })
  keys: KeyResponse[];
}

export class NewKeyResponse extends KeyResponse {
  @ApiProperty({
    example: 'eye_ingest_Xb3pQz0v0Hn7kq1mZr4sT9uW2yA5cE8fG6hJ0kL3nPQ',
    description: 'The key itself. Only its SHA-256 is stored, so it is never shown again.',
  })
  key: string;
}
