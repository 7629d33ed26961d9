import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { EXAMPLE_STEP } from './fields.js';

/** A step as Swagger describes it; `parseStep()` reads it. */
export class StepDto {
  @ApiProperty({ example: EXAMPLE_STEP.category })
  category: string;

  @ApiPropertyOptional({
    example: EXAMPLE_STEP.name,
    description: 'Any name of the category, if it is left out.',
  })
  name?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { 'data.path': { begins: '/' } },
    description:
      'Conditions that the event meets, by the names of properties: a value, or operators with their values, and `all`, `any` ' +
      'and `not` for groups. See "Steps and conditions" in docs/funnels.md.',
  })
  where?: unknown;
}

/** A value of a property that can be the name of somebody, or of a group. */
export const VALUE_SCHEMA = { oneOf: [{ type: 'string' }, { type: 'number' }, { type: 'boolean' }] };

/** The range and the moment of an answer about steps. */
export class RangeResponse {
  @ApiProperty({ format: 'date-time', example: '2021-01-01T00:00:00.000000Z', description: 'Inclusive.' })
  from: string;

  @ApiProperty({ format: 'date-time', example: '2021-02-01T00:00:00.000000Z', description: 'Exclusive.' })
  to: string;

  @ApiProperty({
    format: 'date-time',
    example: '2021-02-01T09:15:29.243860Z',
    description: 'Every event that was stored until then is in the answer.',
  })
  as_of: string;

  @ApiProperty({ example: 'session_id', description: 'Whose events are followed.' })
  by: string;
}
