import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  Matches,
  Max,
  Min,
  ValidateBy,
} from 'class-validator';
import { APPLICATION_NAME } from '../../auth/application-name.js';
import { type Scope, SCOPES } from '../../auth/caller.js';
import { MAX_PAST_LIMIT, MAX_TYPES_LIMIT } from '../../platform/config/environment.js';
import { Unparsable } from '../../platform/http/parsed.decorator.js';
import { IfGiven, Valid } from '../../platform/http/valid.decorator.js';
import { InstantBound } from '../../platform/paging/parameters.js';
import type { Timestamp } from '../../platform/time/timestamp.js';
import { isOriginPattern } from '../../auth/origin.js';

/** Origins that a key may list. */
const MAX_ORIGINS = 100;

/** InstantBound() reports what is no timestamp. */
const isFuture = (value: Timestamp | Unparsable): boolean =>
  value instanceof Unparsable || value.milliseconds > Date.now();

export class CreateApplicationDto {
  @ApiProperty({
    example: 'shop',
    pattern: APPLICATION_NAME.source,
    description: 'Permanent, because every event carries it.',
  })
  @Matches(APPLICATION_NAME, { message: 'Must be 1 to 63 of a-z, 0-9 and "-", and must not begin with "-".' })
  name: string;
}

export class UpdateApplicationDto {
  @ApiPropertyOptional({
    type: 'integer',
    example: 20_000,
    minimum: 0,
    maximum: MAX_TYPES_LIMIT,
    nullable: true,
    description: 'Event types that it may use; null for the limit of `TYPES_LIMIT`.',
  })
  @IsOptional()
  @IsInt({ message: 'Must be an integer.' })
  @Min(0, { message: 'Must be at least 0.' })
  @Max(MAX_TYPES_LIMIT, { message: `Must be at most ${MAX_TYPES_LIMIT.toLocaleString('en')}.` })
  types_limit?: number | null;

  @ApiPropertyOptional({
    type: 'integer',
    example: 7300,
    minimum: 1,
    maximum: MAX_PAST_LIMIT,
    nullable: true,
    description: 'Days that its timestamps may lie in the past; null for the limit of `PAST_LIMIT`.',
  })
  @IsOptional()
  @IsInt({ message: 'Must be an integer.' })
  @Min(1, { message: 'Must be at least 1.' })
  @Max(MAX_PAST_LIMIT, { message: `Must be at most ${MAX_PAST_LIMIT.toLocaleString('en')}.` })
  past_limit?: number | null;
}

export class CreateKeyDto {
  @ApiProperty({
    enum: SCOPES,
    example: 'ingest',
    description:
      '`ingest` sends events, `read` reads, `admin` may do everything, `metrics` reads `/metrics` only.',
  })
  @IsIn(SCOPES, { message: `Must be one of ${SCOPES.join(', ')}.` })
  scope: Scope;

  @ApiPropertyOptional({
    type: [String],
    example: ['https://shop.example', 'https://*.shop.example'],
    maxItems: MAX_ORIGINS,
    description:
      'Origins whose pages may send events with the key (scope `ingest`). `https://*.shop.example` stands for every ' +
      'sub-domain at any depth, without the domain itself.',
  })
  // An empty list says that there are none.
  @IfGiven
  @IsArray({ message: 'Must be an array of origins.' })
  @ArrayMaxSize(MAX_ORIGINS, { message: `Must be at most ${MAX_ORIGINS}.` })
  @ValidateBy(
    { name: 'isOriginPattern', validator: { validate: isOriginPattern } },
    {
      each: true,
      message:
        'Must be origins as browsers send them, e.g. https://shop.example, or with their sub-domains, e.g. https://*.shop.example.',
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

  @ApiPropertyOptional({
    default: false,
    description:
      'Whether the key reads, or administers, all applications instead of its own. Only for scope `read` and `admin`; ' +
      'a key of scope `metrics` always is for all of them.',
  })
  @IfGiven
  @IsBoolean({ message: 'Must be true or false.' })
  @ValidateBy(
    {
      name: 'notForIngest',
      validator: {
        validate: (value, context) => value !== true || (context?.object as CreateKeyDto).scope !== 'ingest',
      },
    },
    { message: 'A key of scope ingest sends the events of its application only.' },
  )
  all_applications?: boolean;

  @InstantBound(
    'before',
    'When the key expires: a date-time, or a date for its end in UTC. By default never.',
    '2035-12-31',
  )
  @Valid((value) => (isFuture(value as Timestamp | Unparsable) ? undefined : 'Must lie in the future.'))
  expires_at?: Timestamp;
}
