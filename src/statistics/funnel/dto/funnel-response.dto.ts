import { ApiProperty, ApiPropertyOptional, IntersectionType } from '@nestjs/swagger';
import { RangeResponse, StepDto, VALUE_SCHEMA } from '../../steps/step.dto.js';
import { type Order, ORDERS } from './funnel.dto.js';

export class SecondsResponse {
  @ApiProperty({ type: Number, nullable: true, example: 41.5, description: 'Null if nobody got that far.' })
  median: number | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 118.25,
    description: 'Nine of ten took at most as long.',
  })
  p90: number | null;
}

export class StepCountResponse {
  @ApiProperty({
    example: 120,
    description: 'Sessions, or values of `by`, that reached this step. Exact.',
  })
  sessions: number;

  @ApiPropertyOptional({
    type: SecondsResponse,
    description: 'Seconds that those who reached this step took from the step before. Not in the first step.',
  })
  from_previous?: SecondsResponse;
}

export class StepResponse extends IntersectionType(StepDto, StepCountResponse) {}

export class FunnelGroupResponse {
  @ApiPropertyOptional({
    ...VALUE_SCHEMA,
    nullable: true,
    example: 'demo-shop',
    description:
      'The value of `group_by`: a text, a number, true or false; null for everything else, and nothing.',
  })
  value?: string | number | boolean | null;

  @ApiPropertyOptional({ example: true, description: 'True for all other groups, absent in the others.' })
  others?: boolean;

  @ApiPropertyOptional({ example: 180, description: 'The number of other groups.' })
  groups?: number;

  @ApiProperty({ type: [StepCountResponse], description: 'In the order of the request.' })
  steps: StepCountResponse[];

  @ApiProperty({ type: SecondsResponse })
  total: SecondsResponse;
}

export class DroppedResponse {
  @ApiProperty({ ...VALUE_SCHEMA, example: 'visit-1', description: 'The session, or the value of `by`.' })
  id: string | number | boolean;

  @ApiProperty({
    format: 'date-time',
    example: '2021-01-01T09:15:29.243860Z',
    description: 'The timestamp of the last step that it reached.',
  })
  reached_at: string;
}

export class FunnelResponse extends RangeResponse {
  @ApiProperty({ example: 3600, description: 'Seconds.' })
  window: number;

  @ApiProperty({ enum: ORDERS })
  order: Order;

  @ApiProperty({ type: [StepResponse], description: 'In the order of the request.' })
  steps: StepResponse[];

  @ApiProperty({
    type: SecondsResponse,
    description: 'Seconds that those who reached the last step took from the first one.',
  })
  total: SecondsResponse;

  @ApiPropertyOptional({
    type: String,
    example: 'application',
    description: 'The property of `groups`, with `group_by`.',
  })
  group_by?: string;

  @ApiPropertyOptional({
    type: [FunnelGroupResponse],
    description: 'By `sessions` of the first step, largest first, and the others last. With `group_by`.',
  })
  groups?: FunnelGroupResponse[];

  @ApiPropertyOptional({ type: [DroppedResponse], description: 'Newest first. With `dropped`.' })
  dropped?: DroppedResponse[];
}
