import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { environment } from '../../platform/config/environment.js';
import { canonicalJson, growthOfNumbers, NotStorableError } from '../../platform/json/canonical-json.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import type { ParsedEvent, Payload } from '../../platform/model/event.js';
import { textViolation } from '../../platform/model/event-text.js';
import type { RejectionCode } from '../../platform/model/rejection.js';
import { now, parseTimestamp, type Timestamp, TimestampError } from '../../platform/time/timestamp.js';

/** Takes the place of a value that cannot be parsed: what is wrong, and where in the field. */
export class FieldViolation {
  constructor(
    readonly code: RejectionCode,
    readonly message: string,
    readonly path: readonly (string | number)[] = [],
  ) {}
}

/** What violates the rule of a field: where in it, and why. */
type Violation = Pick<FieldViolation, 'code' | 'message'> & Partial<Pick<FieldViolation, 'path'>>;

type Rule = (value: unknown) => Violation | undefined;

const parsed: Rule = (value) => (value instanceof FieldViolation ? value : undefined);

/** The rule of each field. */
const RULES = {
  session_id: textViolation,
  category: textViolation,
  name: textViolation,
  data: parsed,
  timestamp: parsed,
} satisfies Record<string, Rule>;

type Field = keyof typeof RULES;
const FIELDS = Object.keys(RULES) as Field[];

const text = (description: string, example: string) => ({
  description,
  example,
  minLength: 1,
  maxLength: environment.TEXT_LIMIT,
});

/** An event as it was sent, with its payload and its timestamp parsed. */
export class CreateEventDto {
  @ApiProperty(text('Groups events; chosen by the sender.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423'))
  session_id: string;

  @ApiProperty(text('First half of the type of an event.', 'page interaction'))
  category: string;

  @ApiProperty(text('Second half of the type of an event.', 'pageview'))
  name: string;

  @ApiPropertyOptional({
    description:
      `The payload: any JSON object of at most ${environment.DATA_LIMIT} bytes (compact, in UTF-8, with numbers written out) and ` +
      `${environment.DEPTH_LIMIT} levels. It is returned as it was sent; a value that cannot be stored exactly is refused by name.`,
    type: 'object',
    additionalProperties: true,
    default: {},
    example: { host: 'www.consumeraffairs.com', path: '/' },
  })
  data: Payload | FieldViolation;

  @ApiPropertyOptional({
    description:
      'When the event happened: ISO 8601 with `T` or a blank, microseconds at most, an offset or none (then UTC), at ' +
      `most ${environment.FUTURE_LIMIT} seconds ahead of the server's clock. Default: the time of arrival, so that a retry is another event.`,
    type: String,
    format: 'date-time',
    example: '2021-01-01 09:15:29.243860',
  })
  timestamp: Timestamp | FieldViolation;

  /** Takes the known fields of a JSON object, and parses the payload and the timestamp once. */
  static from(fields: Partial<Record<Field, unknown>>): CreateEventDto {
    const dto = new CreateEventDto();
    dto.session_id = fields.session_id as string;
    dto.category = fields.category as string;
    dto.name = fields.name as string;
    dto.data = parsePayload(fields.data);
    dto.timestamp = parseEventTime(fields.timestamp);
    return dto;
  }

  static isField(name: string): name is Field {
    return Object.hasOwn(RULES, name);
  }

  /** What is wrong with each field. class-validator would cost more than the rest of an event. */
  violations(): (Violation & { readonly field: Field })[] {
    return FIELDS.flatMap((field) => {
      const violation: Violation | undefined = RULES[field](this[field]);
      return violation
        ? [{ field, path: violation.path, code: violation.code, message: violation.message }]
        : [];
    });
  }

  isValid(): this is CreateEventDto & ParsedEvent {
    return FIELDS.every((field) => RULES[field](this[field]) === undefined);
  }
}

const EMPTY_PAYLOAD: Payload = { value: {}, canonical: '{}', growth: 0 };

function parsePayload(value: unknown): Payload | FieldViolation {
  if (value === undefined) return EMPTY_PAYLOAD;
  if (!isJsonObject(value)) return new FieldViolation('wrong_type', 'Must be a JSON object.');
  try {
    const canonical = canonicalJson(value, environment.DEPTH_LIMIT);
    // A UTF-16 unit takes at most three bytes, so most payloads need no measuring.
    if (
      canonical.length * 3 > environment.DATA_LIMIT &&
      Buffer.byteLength(canonical) > environment.DATA_LIMIT
    )
      return tooLarge('as compact JSON.');
    const growth = growthOfNumbers(value, canonical);
    if (growth > 0 && Buffer.byteLength(canonical) + growth > environment.DATA_LIMIT)
      return tooLarge('as compact JSON with its numbers written out: 1e300 takes 301.');
    return { value, canonical, growth };
  } catch (error) {
    if (error instanceof NotStorableError)
      return new FieldViolation('not_storable', error.reason, error.path);
    throw error;
  }
}

const tooLarge = (form: string): FieldViolation =>
  new FieldViolation('too_large', `Must not exceed ${environment.DATA_LIMIT} bytes ${form}`);

const NUMBER_IS_AMBIGUOUS =
  'Must be a string such as 2021-01-01T09:15:29.243860Z, because a number could mean seconds or milliseconds.';

function parseEventTime(value: unknown): Timestamp | FieldViolation {
  if (value === undefined) return now();
  if (typeof value === 'number') return new FieldViolation('wrong_type', NUMBER_IS_AMBIGUOUS);
  if (typeof value !== 'string') return new FieldViolation('wrong_type', 'Must be a string.');
  try {
    const timestamp = parseTimestamp(value);
    return timestamp.milliseconds - Date.now() > environment.FUTURE_LIMIT * 1000
      ? new FieldViolation(
          'timestamp_in_future',
          `Must not lie more than ${environment.FUTURE_LIMIT} seconds in the future.`,
        )
      : timestamp;
  } catch (error) {
    if (error instanceof TimestampError) return new FieldViolation('invalid_timestamp', error.message);
    throw error;
  }
}
