import { ApiProperty } from '@nestjs/swagger';
import { EXAMPLE_STORED } from '../../../events/dto/example.js';
import { Valid } from '../../../platform/http/valid.decorator.js';
import { Bound } from '../../../platform/paging/parameters.js';
import { whyNotText } from '../../../platform/model/event-text.js';
import { isJsonObject } from '../../../platform/json/json-object.js';

export const FEWEST_STEPS = 2;
export const MOST_STEPS = 10;

/** A year of 366 days, in seconds. */
const LONGEST_WINDOW = 366 * 86_400;

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
    minItems: FEWEST_STEPS,
    maxItems: MOST_STEPS,
    example: EXAMPLE_STEPS,
    description:
      'Types of events, in the order in which they must happen. A type may stand in it more than once.',
  })
  @Valid(whyNotSteps)
  steps: StepDto[];

  @Bound(
    'after',
    'From here on, inclusive: a date-time, or a date, which begins at midnight UTC. Unless given, 24 hours before `to`.',
    '2021-01-01',
  )
  from?: string;

  @Bound(
    'before',
    'Up to here, exclusive: a date-time, or a date, for its end. Unless given, now.',
    '2021-01-31',
  )
  to?: string;

  @ApiProperty({
    type: 'integer',
    minimum: 1,
    maximum: LONGEST_WINDOW,
    example: 3600,
    description: 'Seconds from the first step within which the others must happen, inclusive.',
  })
  @Valid(whyNotWindow)
  window: number;
}

export class StepResponse extends StepDto {
  @ApiProperty({ example: 120, description: 'Sessions that came as far as this step; exact.' })
  sessions: number;
}

export class FunnelResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-02-01T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({ example: 3600, description: 'Seconds.' })
  window: number;

  @ApiProperty({ type: [StepResponse], description: 'In the order in which they were asked for.' })
  steps: StepResponse[];
}

function whyNotWindow(window: unknown): string | undefined {
  if (!Number.isInteger(window)) return 'Must be a whole number of seconds.';
  return (window as number) >= 1 && (window as number) <= LONGEST_WINDOW
    ? undefined
    : `Must be 1 to ${LONGEST_WINDOW} seconds.`;
}

function whyNotSteps(steps: unknown): string | undefined {
  if (!Array.isArray(steps)) return 'Must be a list of event types.';
  if (steps.length < FEWEST_STEPS || steps.length > MOST_STEPS)
    return `Must be ${FEWEST_STEPS} to ${MOST_STEPS} event types.`;
  for (const [index, step] of steps.entries()) {
    if (!isJsonObject(step)) return `${index}: Must be an object with \`category\` and \`name\`.`;
    const unknown = Object.keys(step).find((field) => field !== 'category' && field !== 'name');
    if (unknown !== undefined) return `${index}.${unknown}: Unknown field.`;
    for (const field of ['category', 'name']) {
      const flaw = whyNotText(step[field]);
      if (flaw) return `${index}.${field}: ${flaw.message}`;
    }
  }
  return undefined;
}
