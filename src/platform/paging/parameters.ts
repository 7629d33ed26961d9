import { ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateIf } from 'class-validator';
import { Valid } from '../http/valid.decorator.js';
import { whyNotStorable } from '../json/storable-text.js';
import { parseBound, TimestampError } from '../time/timestamp.js';

export const DEFAULT_PAGE_SIZE = 10;
export const MAX_PAGE_SIZE = 1000;

/** Rows that `page` may skip: skipping reads them all. Beyond, cursors lead on at no cost. */
export const MAX_OFFSET = 10_000;

/** What every list understands beside its own filters. */
export interface PageQuery {
  page_size?: number;
  page?: number;
  cursor?: string;
}

/** A text that a column must equal. */
export function Filter(description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description, example }),
    IsOptional(),
    Valid((value) => (typeof value === 'string' ? whyNotStorable(value) : 'Must be given once.')),
  );
}

/** One of a few texts. */
export function Choice(
  choices: readonly string[],
  description: string,
  byDefault?: string,
): PropertyDecorator {
  const or = [choices.slice(0, -1).join(', '), choices.at(-1)].filter((text) => text !== '').join(' or ');
  return applyDecorators(
    ApiPropertyOptional({ enum: choices, description, default: byDefault }),
    IsOptional(),
    IsIn(choices, { message: `Must be ${or}.` }),
  );
}

/** One end of a range of time, inclusive: a date-time, or a date for the whole day in UTC. */
export function Bound(end: 'after' | 'before', description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description, example }),
    // Not IsOptional: a body may hold null, which is no time.
    ValidateIf((_, value) => value !== undefined),
    Valid((value) => {
      if (typeof value !== 'string') return Array.isArray(value) ? 'Must be given once.' : 'Must be a text.';
      try {
        parseBound(value, end);
        return undefined;
      } catch (error) {
        if (error instanceof TimestampError) return error.message;
        throw error;
      }
    }),
  );
}

export function PageSize(byDefault = DEFAULT_PAGE_SIZE): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 1,
      maximum: MAX_PAGE_SIZE,
      default: byDefault,
    }),
    IsOptional(),
    Type(() => Number),
    IsInt({ message: 'Must be a whole number.' }),
    Min(1, { message: 'Must be at least 1.' }),
    Max(MAX_PAGE_SIZE, { message: `Must be at most ${MAX_PAGE_SIZE}.` }),
  );
}

/** @param rows what the list is of, e.g. `events` */
export function PageNumber(rows: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 1,
      description: `Counts from 1. Reaches ${MAX_OFFSET.toLocaleString('en')} ${rows} deep; beyond, follow \`next\`.`,
    }),
    IsOptional(),
    Type(() => Number),
    IsInt({ message: 'Must be a whole number.' }),
    Min(1, { message: 'Must be at least 1.' }),
  );
}

export function CursorParameter(): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      description: 'Opaque; comes with `next` and `previous`. Belongs to the filters it was given out for.',
    }),
    IsOptional(),
    IsString({ message: 'Must be given once.' }),
    MaxLength(200, { message: 'This is not a cursor that The Eye gave out.' }),
  );
}
