import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsGiven } from '../../platform/http/valid.decorator.js';
import { UNKNOWN_CURSOR } from '../../platform/paging/cursor.js';
import { FilterParameter, PageSize } from '../../platform/paging/parameters.js';
import { MAX_VERSION, MODES, type Mode } from '../event-types.repository.js';
import { MAX_STEPS } from '../schema/payload-schema.js';
import { EXAMPLE_SCHEMA } from './example.js';

const DEFAULT_LIMIT = 100;

/** Stored events that a check examines. */
const DEFAULT_SAMPLES = 1000;
const MAX_SAMPLES = 10_000;

const schemaProperty = {
  type: 'object',
  additionalProperties: true,
  example: EXAMPLE_SCHEMA,
  description:
    'JSON Schema, draft 2020-12, for `data`, without recursion and without references to other documents. An event whose check ' +
    `takes more than ${MAX_STEPS.toLocaleString('en')} steps does not match: a keyword is a step, and under \`items\` one for every item.`,
} as const;

export class PutEventTypeDto {
  @ApiProperty(schemaProperty)
  // `SchemaCompiler` validates the value itself.
  @IsGiven
  schema: unknown;

  @ApiProperty({
    enum: MODES,
    description:
      '`enforce` refuses an event that does not match; `observe` accepts it and records the violation.',
  })
  @IsIn(MODES, { message: `Must be ${MODES.join(' or ')}.` })
  mode: Mode;
}

export class CheckSchemaDto {
  @ApiProperty(schemaProperty)
  // `SchemaCompiler` validates the value itself.
  @IsGiven
  schema: unknown;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: MAX_SAMPLES,
    default: DEFAULT_SAMPLES,
    description: 'The number of newest events to examine.',
  })
  @IsInt({ message: 'Must be a whole number.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(MAX_SAMPLES, { message: `Must be at most ${MAX_SAMPLES}.` })
  limit: number = DEFAULT_SAMPLES;
}

export const APPLICATION_DESCRIPTION =
  'The application whose types these are; by default that of the key. Only a key for all applications may name another one.';

/** Lets a query name the application whose types it is about. */
const OfApplicationParameter = (): PropertyDecorator => FilterParameter(APPLICATION_DESCRIPTION, 'default');

export class ListEventTypesDto {
  @OfApplicationParameter()
  application?: string;

  @PageSize(DEFAULT_LIMIT)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({ description: 'Opaque; taken from `next`.' })
  @IsOptional()
  @IsString({ message: 'Must be given once.' })
  @MaxLength(10_000, { message: UNKNOWN_CURSOR })
  after?: string;
}

export class ListVersionsDto {
  @OfApplicationParameter()
  application?: string;

  @PageSize(DEFAULT_LIMIT)
  limit: number = DEFAULT_LIMIT;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Continues after the version with this number, which `next` contains.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'Must be a whole number.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(MAX_VERSION, { message: 'Must be the number of a version.' })
  after?: number;
}
