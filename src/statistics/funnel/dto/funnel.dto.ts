import { ApiProperty } from '@nestjs/swagger';
import { EXAMPLE_STORED } from '../../../events/dto/example.js';
import { Valid } from '../../../platform/http/valid.decorator.js';
import { RangeEnd, RangeStart } from '../../../platform/paging/parameters.js';
import { textViolation } from '../../../platform/model/event-text.js';
import { isJsonObject } from '../../../platform/json/json-object.js';
import type { CalendarDate, Timestamp } from '../../../platform/time/timestamp.js';

const MIN_STEPS = 2;
const MAX_STEPS = 10;

/** A year of 366 days, in seconds. */
const MAX_WINDOW_SECONDS = 366 * 86_400;

const { category, name } = EXAMPLE_STORED;
const EXAMPLE_STEPS = [
  { category, name },
  { category: 'form interaction', name: 'submit' },
];

/** A type of event. */
export class StepDto {
  @ApiProperty({ example: category })
  category: string;

  @ApiProperty({ example: name })
  name: string;
}

export class FunnelDto {
  @ApiProperty({
    type: [StepDto],
    minItems: MIN_STEPS,
    maxItems: MAX_STEPS,
    example: EXAMPLE_STEPS,
    description: 'Types of events, in the order in which they must occur. A type may occur more than once.',
  })
  @Valid(stepsViolation)
  steps: StepDto[];

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
}

export class StepResponse extends StepDto {
  @ApiProperty({ example: 120, description: 'Sessions that reached this step. Exact.' })
  sessions: number;
}

export class FunnelResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-02-01T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({ example: 3600, description: 'Seconds.' })
  window: number;

  @ApiProperty({ type: [StepResponse], description: 'In the order of the request.' })
  steps: StepResponse[];
}

function windowViolation(window: unknown): string | undefined {
  if (!Number.isInteger(window)) return 'Must be a whole number of seconds.';
  return (window as number) >= 1 && (window as number) <= MAX_WINDOW_SECONDS
    ? undefined
    : `Must be from 1 to ${MAX_WINDOW_SECONDS} seconds.`;
}

function stepsViolation(steps: unknown): string | undefined {
  if (!Array.isArray(steps)) return 'Must be a list of event types.';
  if (steps.length < MIN_STEPS || steps.length > MAX_STEPS)
    return `Must have ${MIN_STEPS} to ${MAX_STEPS} event types.`;
  for (const [index, step] of steps.entries()) {
    if (!isJsonObject(step)) return `${index}: Must be an object with \`category\` and \`name\`.`;
    const unknown = Object.keys(step).find((field) => field !== 'category' && field !== 'name');
    if (unknown !== undefined) return `${index}.${unknown}: Unknown field.`;
    for (const field of ['category', 'name']) {
      const violation = textViolation(step[field]);
      if (violation) return `${index}.${field}: ${violation.message}`;
    }
  }
  return undefined;
}
