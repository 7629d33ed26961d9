import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { EXAMPLE_STEP } from '../../steps/fields.js';
import { RangeResponse, VALUE_SCHEMA } from '../../steps/step.dto.js';
import { type Direction, DIRECTIONS } from './paths.dto.js';

export class PathTypeResponse {
  @ApiProperty({ example: EXAMPLE_STEP.category })
  category: string;

  @ApiPropertyOptional({ example: EXAMPLE_STEP.name, description: 'Absent in a step without one.' })
  name?: string;
}

export type PathValue = PathTypeResponse | string | number | boolean | null;

@ApiExtraModels(PathTypeResponse)
export class PathNodeResponse {
  @ApiProperty({ example: 1, description: 'Events between it and the step, plus one. The step has 0.' })
  level: number;

  @ApiPropertyOptional({
    oneOf: [{ $ref: getSchemaPath(PathTypeResponse) }, ...VALUE_SCHEMA.oneOf],
    nullable: true,
    example: { category: 'form interaction', name: 'submit' },
    description:
      'The type of the event, or with `by_property` the value of the property. Null where the session ended (or had not begun, with ' +
      '`before`). Absent in the node of all others.',
  })
  value?: PathValue;

  @ApiPropertyOptional({ example: true, description: 'True in the node of all others of its level.' })
  others?: boolean;

  @ApiPropertyOptional({ example: 27, description: 'How many different values the others are.' })
  values?: number;

  @ApiProperty({ example: 48, description: 'Sessions, or values of `by`. Exact.' })
  sessions: number;

  @ApiProperty({ example: 0.4, description: 'Of all with the step.' })
  share: number;
}

export class PathLinkResponse {
  @ApiProperty({ example: 0, description: 'The index in `nodes` of a node of the level before.' })
  source: number;

  @ApiProperty({ example: 1, description: 'The index in `nodes` of a node of the next level.' })
  target: number;

  @ApiProperty({ example: 48, description: 'How many have both, one after the other.' })
  sessions: number;
}

export class PathsResponse extends RangeResponse {
  @ApiProperty({ enum: DIRECTIONS })
  direction: Direction;

  @ApiProperty({ example: 3 })
  depth: number;

  @ApiPropertyOptional({ type: String, example: 'data.path' })
  by_property?: string;

  @ApiProperty({ example: 120, description: 'Sessions, or values of `by`, with the step.' })
  sessions: number;

  @ApiProperty({
    type: [PathNodeResponse],
    description:
      'The step first; then by level, and in it the largest first, then the others and those that ended. Nodes that nobody ' +
      'reached are left out.',
  })
  nodes: PathNodeResponse[];

  @ApiProperty({
    type: [PathLinkResponse],
    description:
      'From level to level. With `nodes` they are the data of a Sankey diagram: what enters a node either leaves it, ends in a null ' +
      'node, or is at the last level.',
  })
  links: PathLinkResponse[];
}
