import { ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  type ValidationArguments,
} from 'class-validator';
import { whyNotStorable } from '../event/canonical-json.js';
import { parseBound, TimestampError } from '../event/timestamp.js';

export const DEFAULT_PAGE_SIZE = 10;
export const LARGEST_PAGE_SIZE = 1000;

/** Rows that `page` may skip: skipping reads them all. Beyond, cursors lead on at no cost. */
export const DEEPEST_OFFSET = 10_000;

export const ORDERINGS = ['timestamp', '-timestamp'] as const;

function Filter(description: string, example: string): PropertyDecorator {
  return (target, property) => {
    ApiPropertyOptional({ description, example })(target, property);
    IsOptional()(target, property);
    ValidateBy({
      name: 'isStorable',
      validator: {
        validate: (value) => typeof value === 'string' && whyNotStorable(value) === undefined,
        defaultMessage: (args?: ValidationArguments) =>
          typeof args?.value === 'string' ? (whyNotStorable(args.value) ?? '') : 'Must be given once.',
      },
    })(target, property);
  };
}

function Bound(end: 'after' | 'before', description: string, example: string): PropertyDecorator {
  const why = (value: unknown): string | undefined => {
    if (typeof value !== 'string') return 'Must be given once.';
    try {
      parseBound(value, end);
      return undefined;
    } catch (error) {
      if (error instanceof TimestampError) return error.message;
      throw error;
    }
  };
  return (target, property) => {
    ApiPropertyOptional({ description, example })(target, property);
    IsOptional()(target, property);
    ValidateBy({
      name: 'isBound',
      validator: {
        validate: (value) => why(value) === undefined,
        defaultMessage: (args?: ValidationArguments) => why(args?.value) ?? '',
      },
    })(target, property);
  };
}

/** What can be asked of the list. */
export class ListEventsDto {
  @Filter('Events of one application, by its name.', 'default')
  application?: string;

  @Filter('Events of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @Filter('Events of one category.', 'page interaction')
  category?: string;

  @Filter('Events of one name.', 'pageview')
  name?: string;

  @Bound(
    'after',
    'From here on, inclusive: a date-time, or a date, which begins at midnight UTC.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @Bound(
    'before',
    'Up to here, inclusive: a date-time, or a date, which lasts to its last microsecond in UTC.',
    '2021-12-31',
  )
  timestamp_before?: string;

  @ApiPropertyOptional({
    enum: ORDERINGS,
    default: '-timestamp',
    description: 'Newest first, or oldest first.',
  })
  @IsOptional()
  @IsIn(ORDERINGS, { message: 'Must be timestamp or -timestamp.' })
  ordering?: (typeof ORDERINGS)[number];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: LARGEST_PAGE_SIZE,
    default: DEFAULT_PAGE_SIZE,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'Must be a whole number.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(LARGEST_PAGE_SIZE, { message: `Must be at most ${LARGEST_PAGE_SIZE}.` })
  page_size?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: `Counts from 1. Reaches ${DEEPEST_OFFSET.toLocaleString('en')} events deep; beyond, follow \`next\`.`,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt({ message: 'Must be a whole number.' })
  @Min(1, { message: 'Must be at least 1.' })
  page?: number;

  @ApiPropertyOptional({
    description: 'Opaque; comes with `next` and `previous`. Belongs to the filters it was given out for.',
  })
  @IsOptional()
  @IsString({ message: 'Must be given once.' })
  @MaxLength(200, { message: 'This is not a cursor that The Eye gave out.' })
  cursor?: string;
}
