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
import { isOrigin, NAME } from '../applications.service.js';

/** Origins that a key may name. */
const MOST_ORIGINS = 100;

export class CreateApplicationDto {
  @ApiProperty({
    example: 'shop',
    pattern: NAME.source,
    description: 'Never changes: every event carries it.',
  })
  @Matches(NAME, { message: 'Must be 1 to 63 of a-z, 0-9 and "-", and must not begin with "-".' })
  name: string;
}

export class CreateKeyDto {
  @ApiProperty({
    enum: SCOPES,
    example: 'ingest',
    description: '`ingest` sends, `read` reads, `admin` may everything.',
  })
  @IsIn(SCOPES, { message: `Must be one of ${SCOPES.join(', ')}.` })
  scope: Scope;

  @ApiPropertyOptional({
    type: [String],
    example: ['https://shop.example'],
    maxItems: MOST_ORIGINS,
    description: 'Origins whose pages may send with the key (scope `ingest`).',
  })
  // Unlike the limit, it has no null: no origins are an empty list.
  @ValidateIf((_, value) => value !== undefined)
  @IsArray({ message: 'Must be an array of origins.' })
  @ArrayMaxSize(MOST_ORIGINS, { message: `Must not be more than ${MOST_ORIGINS}.` })
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
    { message: 'Only a key of scope ingest may name origins: it is public in their pages.' },
  )
  allowed_origins?: string[];

  @ApiPropertyOptional({
    type: 'integer',
    example: 60_000,
    minimum: 1,
    maximum: 1_000_000_000,
    nullable: true,
    description: 'Events a minute; else the limit of all.',
  })
  @IsOptional()
  @IsInt({ message: 'Must be an integer.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(1_000_000_000, { message: 'Must be at most 1,000,000,000.' })
  rate_limit?: number;
}
