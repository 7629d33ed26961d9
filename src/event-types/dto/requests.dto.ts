import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { Valid } from '../../platform/http/valid.decorator.js';
import { PageSize } from '../../platform/paging/parameters.js';
import { MODES, type Mode } from '../event-types.repository.js';
import { EXAMPLE_SCHEMA } from './example.js';

const DEFAULT_LIMIT = 100;

/** Stored events that a check looks at. */
const DEFAULT_CHECKED = 1000;
const MOST_CHECKED = 10_000;

const Given = Valid((value) => (value === undefined ? 'This field is required.' : undefined));

const schemaProperty = {
  type: 'object',
  additionalProperties: true,
  example: EXAMPLE_SCHEMA,
  description:
    'JSON Schema, draft 2020-12, for `data`: without recursion and without references to elsewhere.',
} as const;

/** Must be given; what it may be is said where it is compiled. */
export class PutEventTypeDto {
  @ApiProperty(schemaProperty)
  @Given
  schema: unknown;

  @ApiProperty({
    enum: MODES,
    description: '`enforce` refuses an event that does not fit; `observe` accepts it and takes note.',
  })
  @IsIn(MODES, { message: `Must be ${MODES.join(' or ')}.` })
  mode: Mode;
}

export class CheckSchemaDto {
  @ApiProperty(schemaProperty)
  @Given
  schema: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MOST_CHECKED,
    default: DEFAULT_CHECKED,
    description: 'How many of the newest events.',
  })
  @IsInt({ message: 'Must be a whole number.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(MOST_CHECKED, { message: `Must be at most ${MOST_CHECKED}.` })
  limit: number = DEFAULT_CHECKED;
}

export class ListEventTypesDto {
  @PageSize(DEFAULT_LIMIT)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ description: 'Opaque; comes with `next`.' })
  @IsOptional()
  @IsString({ message: 'Must be given once.' })
  @MaxLength(10_000, { message: 'This is not a place in the list that The Eye gave out.' })
  after?: string;
}

export class ListVersionsDto {
  @PageSize(DEFAULT_LIMIT)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Goes on after the version of this number.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'Must be a whole number.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(2_147_483_647, { message: 'Must be the number of a version.' })
  after?: number;
}
