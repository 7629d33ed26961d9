import { ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min, ValidateIf } from 'class-validator';
import { Valid } from '../http/valid.decorator.js';
import { storabilityViolation } from '../json/storable-text.js';
import { parseBound, TimestampError } from '../time/timestamp.js';
import { UNKNOWN_CURSOR } from './cursor.js';

export const DEFAULT_PAGE_SIZE = 10;
export const MAX_PAGE_SIZE = 1000;

/** Rows that `page` may skip, because skipping reads them all. Cursors reach every page at the same cost. */
export const MAX_OFFSET = 10_000;

/** The parameters of every list, beside its filters. */
export interface PageQuery {
  page_size?: number;
  page?: number;
  cursor?: string;
}

/** A filter: the text that a column must equal. */
export function Filter(description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description, example }),
    IsOptional(),
    Valid((value) => (typeof value === 'string' ? storabilityViolation(value) : 'Must be given once.')),
  );
}

/** A parameter with a fixed set of values. */
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

/** Stands for a parameter that could not be parsed, until validation reports it. */
class Unparsable {
  constructor(readonly reason: string) {}
}

/** @returns the canonical timestamp of one end of a range */
function parseRangeEnd(value: unknown, end: 'after' | 'before'): string | Unparsable {
  if (Array.isArray(value)) return new Unparsable('Must be given once.');
  if (typeof value !== 'string') return new Unparsable('Must be a string.');
  try {
    return parseBound(value, end).text;
  } catch (error) {
    if (error instanceof TimestampError) return new Unparsable(error.message);
    throw error;
  }
}

const reasonOf = (parsed: unknown): string | undefined =>
  parsed instanceof Unparsable ? parsed.reason : undefined;

/**
 * One end of a range of time, inclusive: a date-time, or a date for the whole day in UTC. The property becomes a canonical
 * timestamp, so that nothing parses it again.
 */
export function TimestampBound(
  end: 'after' | 'before',
  description: string,
  example: string,
): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description, example }),
    ValidateIf(isGiven),
    Transform(({ value }) => parseRangeEnd(value, end)),
    Valid(reasonOf),
  );
}

/** Like TimestampBound, but the property stays as it was sent: what a date stands for depends on another parameter. */
export function Bound(end: 'after' | 'before', description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description, example }),
    ValidateIf(isGiven),
    Valid((value) => reasonOf(parseRangeEnd(value, end))),
  );
}

/** Unlike IsOptional, this does not let null pass, which a JSON body may contain. */
const isGiven = (_: unknown, value: unknown): boolean => value !== undefined;

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

/** @param rows what the list consists of, e.g. `events` */
export function PageNumber(rows: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({
      type: 'integer',
      minimum: 1,
      description: `Counts from 1 and may skip at most ${MAX_OFFSET.toLocaleString('en')} ${rows}. Follow \`next\` for the pages beyond.`,
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
      description: 'Opaque; taken from `next` or `previous`. Valid only with the same filters and ordering.',
    }),
    IsOptional(),
    IsString({ message: 'Must be given once.' }),
    MaxLength(200, { message: UNKNOWN_CURSOR }),
  );
}
