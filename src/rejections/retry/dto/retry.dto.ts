import { ApiProperty } from '@nestjs/swagger';

export class RetriedResponse {
  @ApiProperty({ format: 'uuid', description: 'Id of the event.' })
  id: string;

  @ApiProperty({ enum: ['queued'] })
  status: 'queued';
}

export class RetriedManyResponse {
  @ApiProperty({ example: 12, description: 'Rejections whose events were sent again.' })
  retried: number;

  @ApiProperty({ example: 10, description: 'Events that are in the queue now.' })
  accepted: number;

  @ApiProperty({ example: 2, description: 'Events that are refused again and stay.' })
  refused: number;

  @ApiProperty({
    example: 0,
    description: 'Matching rejections that cannot be retried, because their event was cut.',
  })
  left_out: number;

  @ApiProperty({ description: 'True if more rejections match than one call retries.' })
  more: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri-reference',
    description: 'Where to POST for the others.',
  })
  next: string | null;
}
