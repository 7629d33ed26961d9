import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { environment } from '../../platform/config/environment.js';
import { Valid } from '../../platform/http/valid.decorator.js';
import type { RejectionCode } from '../../platform/model/rejection.js';
import { whyNotText } from '../../platform/model/event-text.js';
import { isJsonObject } from '../../platform/json/json-object.js';
import { now, parseTimestamp, type Timestamp, TimestampError } from '../../platform/time/timestamp.js';
import { canonicalJson, NotStorableError } from '../../platform/json/canonical-json.js';

/** What is wrong with a field, and where in it. */
export class Flaw {
  constructor(
    readonly code: RejectionCode,
    readonly message: string,
    readonly path: readonly (string | number)[] = [],
  ) {}
}

/** The payload of an event with its canonical text (RFC 8785). */
export interface Payload {
  readonly value: Record<string, unknown>;
  readonly canonical: string;
}

type Why = (value: unknown) => Pick<Flaw, 'code' | 'message'> | undefined;

const whyFlawed: Why = (value) => (value instanceof Flaw ? value : undefined);

/** The rule of each field, for its decorator and for isValid alike. */
const RULES = {
  session_id: whyNotText,
  category: whyNotText,
  name: whyNotText,
  data: whyFlawed,
  timestamp: whyFlawed,
} satisfies Record<string, Why>;

type Field = keyof typeof RULES;
const FIELDS = Object.keys(RULES) as Field[];

/** Holds the field to its rule; what the rule says is the message. */
const Kept: PropertyDecorator = (target, property) =>
  Valid((value) => RULES[property as Field](value)?.message)(target, property);

const text = (description: string, example: string) => ({
  description,
  example,
  minLength: 1,
  maxLength: environment.TEXT_LIMIT,
});

/** What a sender sends, read but not yet accepted; NewEvent is what becomes of it. */
export class CreateEventDto {
  @ApiProperty(text('Groups events; made by the sender.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423'))
  @Kept
  session_id: string;

  @ApiProperty(text('First half of the type of an event.', 'page interaction'))
  @Kept
  category: string;

  @ApiProperty(text('Second half of the type of an event.', 'pageview'))
  @Kept
  name: string;

  @ApiPropertyOptional({
    description:
      `The payload: any JSON object of at most ${environment.DATA_LIMIT} bytes (compact, in UTF-8) and ` +
      `${environment.DEPTH_LIMIT} levels. Comes back as it was sent; what cannot be kept exactly is refused by name.`,
    type: 'object',
    additionalProperties: true,
    default: {},
    example: { host: 'www.consumeraffairs.com', path: '/' },
  })
  @Kept
  data: Payload | Flaw;

  @ApiPropertyOptional({
    description:
      'When it happened: ISO 8601 with `T` or a blank, up to six fractional digits, an offset or none (then UTC), at most ' +
      `${environment.FUTURE_LIMIT} seconds ahead of the server's clock. Without it: now, so that a retry is another event.`,
    type: String,
    format: 'date-time',
    example: '2021-01-01 09:15:29.243860',
  })
  @Kept
  timestamp: Timestamp | Flaw;

  /** Reads the known fields of a JSON object; the payload and the timestamp are parsed here, once. */
  static from(fields: Partial<Record<Field, unknown>>): CreateEventDto {
    const dto = new CreateEventDto();
    dto.session_id = fields.session_id as string;
    dto.category = fields.category as string;
    dto.name = fields.name as string;
    dto.data = readPayload(fields.data);
    dto.timestamp = readTimestamp(fields.timestamp);
    return dto;
  }

  static isField(name: string): name is Field {
    return Object.hasOwn(RULES, name);
  }

  /** The code of the first field that breaks its rule. */
  get code(): RejectionCode | undefined {
    for (const field of FIELDS) {
      const flaw = RULES[field](this[field]);
      if (flaw !== undefined) return flaw.code;
    }
    return undefined;
  }

  /**
   * Whether all fields keep their rules. The same rules as class-validator's, without its bookkeeping, which costs more
   * than all the rest of an event; for those that are not valid it finds the words.
   */
  isValid(): this is ValidEvent {
    return this.code === undefined;
  }
}

export type ValidEvent = CreateEventDto & { data: Payload; timestamp: Timestamp };

const EMPTY: Payload = { value: {}, canonical: '{}' };

function readPayload(value: unknown): Payload | Flaw {
  if (value === undefined) return EMPTY;
  if (!isJsonObject(value)) return new Flaw('wrong_type', 'Must be a JSON object.');
  try {
    const canonical = canonicalJson(value, environment.DEPTH_LIMIT);
    // A UTF-16 unit takes at most three bytes, so that most payloads need no measuring.
    if (
      canonical.length * 3 > environment.DATA_LIMIT &&
      Buffer.byteLength(canonical) > environment.DATA_LIMIT
    ) {
      return new Flaw('too_large', `Must not exceed ${environment.DATA_LIMIT} bytes as compact JSON.`);
    }
    return { value, canonical };
  } catch (error) {
    if (error instanceof NotStorableError) return new Flaw('not_storable', error.reason, error.path);
    throw error;
  }
}

function readTimestamp(value: unknown): Timestamp | Flaw {
  if (value === undefined) return now();
  if (typeof value !== 'string') return new Flaw('wrong_type', 'Must be a string.');
  try {
    const timestamp = parseTimestamp(value);
    return timestamp.milliseconds - Date.now() > environment.FUTURE_LIMIT * 1000
      ? new Flaw(
          'timestamp_in_future',
          `Must not lie more than ${environment.FUTURE_LIMIT} seconds in the future.`,
        )
      : timestamp;
  } catch (error) {
    if (error instanceof TimestampError) return new Flaw('invalid_timestamp', error.message);
    throw error;
  }
}
