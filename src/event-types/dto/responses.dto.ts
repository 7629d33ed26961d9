import { ApiProperty } from '@nestjs/swagger';
import { type EventTypeVersion, MODES, type Mode } from '../event-types.repository.js';
import { EXAMPLE_KEY, EXAMPLE_SCHEMA } from './example.js';

class ChangedBy {
  @ApiProperty({ example: 'default', description: 'The application whose key made the change.' })
  application: string;

  @ApiProperty({ type: String, nullable: true, description: 'Null if authentication was off.' })
  key_id: string | null;
}

/** A version of an event type. */
export class EventTypeResponse {
  @ApiProperty({ example: EXAMPLE_KEY.category })
  category: string;

  @ApiProperty({ example: EXAMPLE_KEY.name })
  name: string;

  @ApiProperty({ type: 'integer', example: 1, description: 'Counts from 1 within each type.' })
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
  @ApiProperty({ type: String, nullable: true, format: 'uri-reference', description: 'The next page.' })
  next: string | null;

  @ApiProperty({ type: [EventTypeResponse] })
  results: EventTypeResponse[];
}

class RefusedSample {
  @ApiProperty({ format: 'uuid', description: 'The id of the stored event.' })
  id: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { 'data.form.first_name': ['must be string, not 42'] },
  })
  errors: Record<string, string[]>;
}

export class TrialResponse {
  @ApiProperty({
    type: 'integer',
    example: 1000,
    description: 'The number of events examined, newest first.',
  })
  examined: number;

  @ApiProperty({
    type: 'integer',
    example: 3,
    description: 'The number of examined events that do not match.',
  })
  refused: number;

  @ApiProperty({ type: [RefusedSample], description: 'Some of the events that do not match.' })
  examples: RefusedSample[];
}

export class SuggestionResponse {
  @ApiProperty({
    type: 'integer',
    example: 1000,
    description: 'The number of events examined, newest first.',
  })
  examined: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: EXAMPLE_SCHEMA,
    description: 'A schema that all examined events match.',
  })
  schema: Record<string, unknown>;
}
