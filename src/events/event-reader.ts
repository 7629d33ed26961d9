import { validateSync } from 'class-validator';
import { environment } from '../platform/config/environment.js';
import type { FieldErrors } from '../platform/errors/domain-error.js';
import { findInexactness, type Inexactness } from '../platform/json/exact-json.js';
import { isJsonObject } from '../platform/json/json-object.js';
import { createEvent, type NewEvent } from '../platform/model/event.js';
import { exceedsMaxTextsBytes, MAX_TEXTS_BYTES } from '../platform/model/event-text.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import { CreateEventDto, FieldViolation } from './dto/create-event.dto.js';

/** What is wrong with an event: a code for programs, and messages by field or by the path of a value. */
export interface Violation {
  readonly code: RejectionCode;
  readonly errors: FieldErrors;
}

/** The result of reading one event. An `observed` event is accepted although it violates its type. */
export type Verdict =
  | { readonly outcome: 'accepted'; readonly event: NewEvent }
  | ({ readonly outcome: 'observed'; readonly event: NewEvent } & Violation)
  | RefusedVerdict;

export type RefusedVerdict = { readonly outcome: 'refused' } & Violation;

/** The sender of an event, and the check of event types that applies. */
export interface ReadContext {
  readonly application: string;
  /** @returns undefined for an event that its type allows */
  readonly checkType: (
    category: string,
    name: string,
    data: Record<string, unknown>,
  ) => (Violation & { readonly refused: boolean }) | undefined;
}

/** Parses JSON. @returns the value, or the verdict on malformed JSON */
export function parseEventJson(text: string): { value: unknown } | RefusedVerdict {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    return refuse('malformed_json', { event: [`Not valid JSON: ${(error as Error).message}.`] });
  }
}

/**
 * Reads an event from its JSON text.
 * @param defaultTimestamp canonical; the time of an event that has none
 */
export function readEventText(text: string, context: ReadContext, defaultTimestamp?: string): Verdict {
  const parsed = parseEventJson(text);
  if ('outcome' in parsed) return parsed;
  const value =
    defaultTimestamp !== undefined && isJsonObject(parsed.value) && !('timestamp' in parsed.value)
      ? { ...parsed.value, timestamp: defaultTimestamp }
      : parsed.value;
  return readEvent(value, findInexactness(text, environment.DEPTH_LIMIT, false).get(0), context);
}

/**
 * Reads an event from a parsed JSON value.
 * @param inexactness what JSON.parse has changed in it, if anything
 */
export function readEvent(
  value: unknown,
  inexactness: Inexactness | undefined,
  { application, checkType }: ReadContext,
): Verdict {
  if (inexactness)
    return refuse(inexactness.code, { [inexactness.path.join('.') || 'event']: [inexactness.reason] });
  if (!isJsonObject(value)) return refuse('wrong_type', { event: ['Must be a JSON object.'] });
  const dto = CreateEventDto.from(value);
  for (const key in value) if (!CreateEventDto.isField(key)) return explain(dto, value);
  if (!dto.isValid()) return explain(dto, value);
  if (exceedsMaxTextsBytes(dto.session_id + dto.category + dto.name))
    return refuse('too_long', {
      session_id: [
        `session_id, category and name together must not exceed ${MAX_TEXTS_BYTES} bytes in UTF-8.`,
      ],
    });
  const violation = checkType(dto.category, dto.name, dto.data.value);
  if (violation?.refused) return refuse(violation.code, violation.errors);
  const event = createEvent(application, dto);
  return violation
    ? { outcome: 'observed', event, code: violation.code, errors: violation.errors }
    : { outcome: 'accepted', event };
}

function refuse(code: RejectionCode, errors: FieldErrors): RefusedVerdict {
  return { outcome: 'refused', code, errors };
}

/** Reports everything that is wrong with an event, by field. */
function explain(dto: CreateEventDto, value: object): RefusedVerdict {
  // Without a prototype, so that a field called __proto__ is a field like any other.
  const errors = Object.create(null) as FieldErrors;
  for (const key of Object.keys(value)) if (!CreateEventDto.isField(key)) errors[key] = ['Unknown field.'];
  for (const { property, value: field, constraints } of validateSync(dto)) {
    const path = field instanceof FieldViolation ? field.path : [];
    errors[[property, ...path].join('.')] = Object.values(constraints ?? {});
  }
  return refuse(dto.code ?? 'unknown_field', errors);
}
