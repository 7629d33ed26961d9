import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import { type Scope, SCOPES } from '../../auth/caller.js';
import { isOrigin } from '../../auth/origin.js';
import { APPLICATION_NAME } from '../application-name.js';

/** Origins that a key may list. */
const MAX_ORIGINS = 100;

export class CreateApplicationDto {
  @ApiProperty({
    example: 'shop',
    pattern: APPLICATION_NAME.source,
    description: 'Permanent, because every event carries it.',
  })
  @Matches(APPLICATION_NAME, { message: 'Must be 1 to 63 of a-z, 0-9 and "-", and must not begin with "-".' })
  name: string;
}

export class CreateKeyDto {
  @ApiProperty({
    enum: SCOPES,
    example: 'ingest',
    description: '`ingest` sends events, `read` reads, `admin` may do everything.',
  })
  @IsIn(SCOPES, { message: `Must be one of ${SCOPES.join(', ')}.` })
  scope: Scope;

  @ApiPropertyOptional({
    type: [String],
    example: ['https://shop.example'],
    maxItems: MAX_ORIGINS,
    description: 'Origins whose pages may send events with the key (scope `ingest`).',
  })
  // Not IsOptional(), which would accept null: an empty list says that there are none.
  @ValidateIf((_, value) => value !== undefined)
  @IsArray({ message: 'Must be an array of origins.' })
  @ArrayMaxSize(MAX_ORIGINS, { message: `Must be at most ${MAX_ORIGINS}.` })
  @ValidateBy(
    { name: 'isOrigin', validator: { validate: isOrigin } },
    {
      each: true,
      message: 'Must be origins as browsers send them, e.g. https://shop.example or http://localhost:3000.',
    },
  )
  @ValidateBy(
    {
      name: 'onlyForIngest',
      validator: { validate: (_, context) => (context?.object as CreateKeyDto).scope === 'ingest' },
    },
    { message: 'Only a key of scope ingest may list origins, because their pages make it public.' },
  )
  allowed_origins?: string[];

  @ApiPropertyOptional({
    type: 'integer',
    example: 60_000,
    minimum: 1,
    maximum: 1_000_000_000,
    nullable: true,
    description: 'Events a minute; by default the limit of `RATE_LIMIT`.',
  })
  @IsOptional()
  @IsInt({ message: 'Must be an integer.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(1_000_000_000, { message: 'Must be at most 1,000,000,000.' })
  rate_limit?: number;
}
