import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { FilterError, type Property, type Filter } from '../../../platform/filters/filter.js';
import { isJsonObject } from '../../../platform/json/json-object.js';
import { IsGiven, Valid } from '../../../platform/http/valid.decorator.js';
import { Limit, RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';
import { By, EXAMPLE_STEP, OneOf, ParsedField, PropertyField, SESSION, Where } from '../../steps/fields.js';
import { parsePart, PlacedError } from '../../steps/placed-error.js';
import { parseStep, type Step } from '../../steps/step.js';
import { StepDto } from '../../steps/step.dto.js';

const MIN_STEPS = 2;
const MAX_STEPS = 10;

/** Groups with counts of their own. */
const MAX_GROUPS = 100;

/** Ids of those who dropped out. */
const MAX_DROPPED = 1000;

/** A year of 366 days, in seconds. */
const MAX_WINDOW_SECONDS = 366 * 86_400;

const EXAMPLE_STEPS = [EXAMPLE_STEP, { category: 'form interaction', name: 'submit' }];

export const ORDERS = ['loose', 'strict'] as const;
export type Order = (typeof ORDERS)[number];

/** Which of those who dropped out are listed. */
export class DroppedDto {
  @ApiProperty({
    type: 'integer',
    minimum: 2,
    maximum: MAX_STEPS,
    example: 2,
    description: 'The step that they did not reach, as the first of which they did not.',
  })
  step: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_DROPPED, default: 100 })
  limit: number;
}

export class FunnelDto {
  @ApiProperty({
    type: [StepDto],
    minItems: MIN_STEPS,
    maxItems: MAX_STEPS,
    example: EXAMPLE_STEPS,
    description:
      'What must happen, in this order: types of events, or all types of a category, with conditions. A type may occur more than once.',
  })
  @ParsedField(parseSteps)
  @IsGiven
  steps: Step[];

  @RangeStart('midnight UTC')
  from?: CalendarDate | Timestamp;

  @RangeEnd()
  to?: CalendarDate | Timestamp;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: MAX_WINDOW_SECONDS,
    example: 3600,
    description: 'Seconds after the first step within which the others must occur, inclusive.',
  })
  @Valid(windowViolation)
  window: number;

  @OneOf(
    ORDERS,
    'Whether other events may lie between two steps (`loose`), or none whose timestamp lies between theirs (`strict`).',
    'loose',
  )
  order: Order = 'loose';

  @By()
  by: Property = SESSION;

  @Where()
  where?: Filter;

  @PropertyField(
    'Also counts each of the largest groups. A group has those whose first step has the same value of this property.',
    'application',
  )
  group_by?: Property;

  @Limit(10, MAX_GROUPS, 'Groups with counts of their own; all others share some.')
  limit: number = 10;

  @ApiPropertyOptional({
    type: DroppedDto,
    example: { step: 2, limit: 10 },
    description: 'Also lists those who reached the step before this one and not this one, newest first.',
  })
  @ParsedField(parseDropped)
  dropped?: DroppedDto;
}

function windowViolation(window: unknown): string | undefined {
  if (!Number.isInteger(window)) return 'Must be a whole number of seconds.';
  return (window as number) >= 1 && (window as number) <= MAX_WINDOW_SECONDS
    ? undefined
    : `Must be from 1 to ${MAX_WINDOW_SECONDS} seconds.`;
}

/** @throws FilterError */
function parseSteps(steps: unknown): Step[] | undefined {
  if (!Array.isArray(steps)) throw new FilterError('Must be a list of event types.');
  if (steps.length < MIN_STEPS || steps.length > MAX_STEPS)
    throw new FilterError(`Must have ${MIN_STEPS} to ${MAX_STEPS} event types.`);
  return steps.map((step, index) => parsePart(index, () => parseStep(step)));
}

/** @throws FilterError */
function parseDropped(value: unknown): DroppedDto {
  if (!isJsonObject(value)) throw new FilterError('Must be an object with `step`.');
  const { step, limit = 100, ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw new PlacedError([unknown], 'Unknown field.');
  return {
    step: parsePart('step', () => wholeNumber(step, 2, MAX_STEPS)),
    limit: parsePart('limit', () => wholeNumber(limit, 1, MAX_DROPPED)),
  };
}

function wholeNumber(value: unknown, min: number, max: number): number {
  if (value === undefined) throw new FilterError('This field is required.');
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw new FilterError(`Must be a whole number from ${min} to ${max}.`);
}
