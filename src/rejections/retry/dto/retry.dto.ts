import { ApiProperty } from '@nestjs/swagger';

export class RetriedResponse {
  @ApiProperty({ format: 'uuid', description: "The event's." })
  id: string;

  @ApiProperty({ enum: ['queued'] })
  status: 'queued';
}

export class RetriedManyResponse {
  @ApiProperty({ example: 12, description: 'Rejections whose events were sent again.' })
  retried: number;

  @ApiProperty({ example: 10, description: 'Of these, what is in the queue now.' })
  accepted: number;

  @ApiProperty({ example: 2, description: 'Of these, what is refused again, and stays.' })
  refused: number;

  @ApiProperty({
    example: 0,
    description: 'Rejections that match and cannot be retried, because their event was cut.',
  })
  left_out: number;

  @ApiProperty({ description: 'True where more match than one call retries.' })
  more: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri',
    description: 'Where to POST for those.',
  })
  next: string | null;
}
