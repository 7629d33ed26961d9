import { ApiProperty } from '@nestjs/swagger';
import { type EventTypeVersion, MODES, type Mode } from '../event-types.repository.js';
import { EXAMPLE_KEY, EXAMPLE_SCHEMA } from './example.js';

class ChangedBy {
  @ApiProperty({ example: 'default', description: 'The application whose key made the change.' })
  application: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null where authentication is off.' })
  key_id: string | null;
}

/** A version as it leaves. */
export class EventTypeResponse {
  @ApiProperty({ example: EXAMPLE_KEY.category })
  category: string;

  @ApiProperty({ example: EXAMPLE_KEY.name })
  name: string;

  @ApiProperty({ type: 'integer', example: 1, description: 'Counts from 1 in each type.' })
  version: number;

  @ApiProperty({
    enum: MODES,
    type: String,
    nullable: true,
    description: 'Null in a version that is a deletion.',
  })
  mode: Mode | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    example: EXAMPLE_SCHEMA,
    description: 'Null in a version that is a deletion.',
  })
  schema: Record<string, unknown> | null;

  @ApiProperty({ type: ChangedBy })
  changed_by: ChangedBy;

  @ApiProperty({ format: 'date-time', example: '2021-01-01T09:15:29.243860Z' })
  changed_at: string;

  static from(version: EventTypeVersion): EventTypeResponse {
    return {
      category: version.category,
      name: version.name,
      version: version.version,
      mode: version.mode,
      schema: JSON.parse(version.schema ?? 'null') as Record<string, unknown> | null,
      changed_by: { application: version.changed_by, key_id: version.changed_by_key },
      changed_at: version.changed_at,
    };
  }
}

export class EventTypePageResponse {
  @ApiProperty({ type: String, nullable: true, format: 'uri', description: 'The page after this one.' })
  next: string | null;

  @ApiProperty({ type: [EventTypeResponse] })
  results: EventTypeResponse[];
}

class RefusedSample {
  @ApiProperty({ format: 'uuid', description: 'Of a stored event.' })
  id: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { 'data.form.first_name': ['must be string, not 42'] },
  })
  errors: Record<string, string[]>;
}

export class TrialResponse {
  @ApiProperty({ type: 'integer', example: 1000, description: 'Newest events that were looked at.' })
  examined: number;

  @ApiProperty({ type: 'integer', example: 3, description: 'Those of them that do not fit.' })
  refused: number;

  @ApiProperty({ type: [RefusedSample], description: 'Some of those.' })
  examples: RefusedSample[];
}

export class SuggestionResponse {
  @ApiProperty({ type: 'integer', example: 1000, description: 'Newest events that were looked at.' })
  examined: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: EXAMPLE_SCHEMA,
    description: 'All of them fit it.',
  })
  schema: Record<string, unknown>;
}
