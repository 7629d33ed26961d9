import { ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { Parsed, Unparsable } from '../http/parsed.decorator.js';
import { IfGiven, Valid } from '../http/valid.decorator.js';
import { storabilityViolation } from '../json/storable-text.js';
import { parseBound, parseDateOrTimestamp, TimestampError } from '../time/timestamp.js';
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
export function FilterParameter(description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ description, example }),
    IfGiven,
    Valid((value) => (typeof value === 'string' ? storabilityViolation(value) : notOneText(value))),
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
    IfGiven,
    IsIn(choices, { message: `Must be ${or}.` }),
  );
}

/** What is wrong with a value that should be a text. In a query string, it can only be an array. */
const notOneText = (value: unknown): string =>
  Array.isArray(value) ? 'Must be given once.' : 'Must be a string.';

function parseWith<Result>(value: unknown, parse: (text: string) => Result): Result | Unparsable {
  if (typeof value !== 'string') return new Unparsable(notOneText(value));
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof TimestampError) return new Unparsable(error.message);
    throw error;
  }
}

function Bound(parse: (text: string) => unknown, description: string, example: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: String, description, example }),
    IfGiven,
    Parsed((value) => parseWith(value, parse)),
  );
}

/** One end of a range of time, inclusive: a date-time, or a date for the whole day in UTC. Becomes a canonical timestamp. */
export const TimestampBound = (
  end: 'after' | 'before',
  description: string,
  example: string,
): PropertyDecorator => Bound((text) => parseBound(text, end).text, description, example);

/** Like TimestampBound, but becomes a Timestamp. */
export const InstantBound = (
  end: 'after' | 'before',
  description: string,
  example: string,
): PropertyDecorator => Bound((text) => parseBound(text, end), description, example);

/**
 * One end of a range of time, in which a date depends on another parameter, the time zone. Becomes a CalendarDate or a
 * Timestamp.
 */
export const DateBound = (description: string, example: string): PropertyDecorator =>
  Bound(parseDateOrTimestamp, description, example);

/** Start of a range of time. @param midnight what a date means there, e.g. `midnight UTC` */
export const RangeStart = (midnight: string): PropertyDecorator =>
  DateBound(
    `Start of the range, inclusive: a date-time, or a date for its ${midnight}. By default, 24 hours before \`to\`.`,
    '2021-01-01',
  );

/** End of a range of time. */
export const RangeEnd = (): PropertyDecorator =>
  DateBound(
    'End of the range, exclusive: a date-time, or a date for its end. By default, now.',
    '2021-01-31',
  );

/** How many entries a response has at most. */
export function Limit(byDefault: number, max: number, description: string): PropertyDecorator {
  return applyDecorators(
    ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: max, default: byDefault, description }),
    Type(() => Number),
    IsInt({ message: 'Must be a whole number.' }),
    Min(1, { message: 'Must be at least 1.' }),
    Max(max, { message: `Must be at most ${max}.` }),
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
    IfGiven,
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
    IfGiven,
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
    IfGiven,
    IsString({ message: 'Must be given once.' }),
    MaxLength(200, { message: UNKNOWN_CURSOR }),
  );
}
