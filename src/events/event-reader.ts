import pLimit from 'p-limit';
import { type EventTypes, SchemaPendingError } from '../event-types/event-types.cache.js';
import { yieldToEventLoop } from '../platform/async/yield-to-event-loop.js';
import { environment } from '../platform/config/environment.js';
import { boundErrors } from '../platform/errors/bounded-errors.js';
import { type FieldErrors, UnavailableError } from '../platform/errors/domain-error.js';
import { countKeys, findInexactness, type Inexactness, tooDeep } from '../platform/json/exact-json.js';
import { isJsonObject } from '../platform/json/json-object.js';
import { JsonScanner, type ScannedValue, type ValueBounds } from '../platform/json/json-scanner.js';
import { createEvent, type ReadEvent } from '../platform/model/event.js';
import { exceedsMaxTextsBytes, MAX_TEXTS_BYTES } from '../platform/model/event-text.js';
import type { RejectionCode } from '../platform/model/rejection.js';
import { CreateEventDto } from './dto/create-event.dto.js';

/**
 * The bounds of the JSON text of an event, which are checked before it is parsed. Every event within its limits is within
 * these bounds: a byte of canonical JSON takes at most six as it is sent (`\u0041`), besides blanks, and a key in `data` takes
 * at least five (`"":1,`).
 */
export const EVENT_BOUNDS: ValueBounds = {
  bytes: 6 * (environment.DATA_LIMIT + MAX_TEXTS_BYTES) + 16 * 1024,
  keys: Math.ceil(environment.DATA_LIMIT / 5) + 100,
  depth: environment.DEPTH_LIMIT,
};

/** What is wrong with an event: a code for programs, and messages by field or by the path of a value. */
export interface Violation {
  readonly code: RejectionCode;
  readonly errors: FieldErrors;
}

/** The result of reading one event. An `observed` event is accepted although it violates its type. */
export type Verdict =
  | { readonly outcome: 'accepted'; readonly event: ReadEvent }
  | ({ readonly outcome: 'observed'; readonly event: ReadEvent } & Violation)
  | RefusedVerdict;

export type RefusedVerdict = { readonly outcome: 'refused' } & Violation;

/** The sender of an event, and the check of event types that applies. */
export interface ReadContext {
  readonly application: string;
  /**
   * @returns undefined for an event that its type allows
   * @throws SchemaPendingError
   */
  readonly checkType: (
    category: string,
    name: string,
    data: Record<string, unknown>,
  ) => (Violation & { readonly refused: boolean }) | undefined;
  /** When it waits no longer for schemas, in milliseconds of performance.now(); undefined if it did not wait. */
  waitsUntil?: number;
}

/** Milliseconds for which a request may wait for schemas. The next one finds them compiled. */
const MAX_WAIT_MS = 10_000;

/** Requests that have waited for the same schema are read on one after the other. */
const oneAtATime = pLimit(1);

/**
 * Reads an event. The first one of a type waits until the schema of the type is compiled.
 * @param read reads it in this context, by the functions below
 * @returns synchronously for all others, so that the hot path costs no promise
 * @throws UnavailableError `busy`, also by rejecting, if the request has waited too long
 */
export function readOnceCompiled(context: ReadContext, read: () => Verdict): Verdict | Promise<Verdict> {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SchemaPendingError)) throw error;
    const now = performance.now();
    context.waitsUntil ??= now + MAX_WAIT_MS;
    if (now > context.waitsUntil)
      throw new UnavailableError(
        'busy',
        'The schemas of the events are still being compiled; nothing was accepted.',
      );
    return error.compiled
      .then(() => oneAtATime(yieldToEventLoop))
      .then(() => readOnceCompiled(context, read));
  }
}

/** The context of the events of one application. */
export function contextOf(application: string, eventTypes: Pick<EventTypes, 'check'>): ReadContext {
  return {
    application,
    checkType: (category, name, data) => eventTypes.check(application, category, name, data),
  };
}

/** The verdict on a value that is too large to be parsed. */
export function refuseOversized({ exceeded, isTooDeep }: ScannedValue, deepField = 'event'): RefusedVerdict {
  if (isTooDeep) return refuse('too_deep', { [deepField]: [tooDeep(EVENT_BOUNDS.depth)] });
  const what = exceeded === 'keys' ? 'have' : 'take';
  const bound = EVENT_BOUNDS[exceeded ?? 'bytes'].toLocaleString('en');
  return refuse('too_large', { event: [`Must not ${what} more than ${bound} ${exceeded}.`] });
}

/**
 * Reads an event that was scanned.
 * @param text returns its JSON text
 * @param value parsed from it
 */
export function readScannedEvent(
  scanned: ScannedValue,
  text: () => string,
  value: unknown,
  context: ReadContext,
): Verdict {
  return readEvent(value, inexactnessOf(scanned, text, value), context);
}

/** What JSON.parse has changed in a value that was scanned; undefined if nothing, and if it is not nested too deep. */
export function inexactnessOf(
  { keys, hasInexactNumber, isTooDeep }: ScannedValue,
  text: () => string,
  value: unknown,
): Inexactness | undefined {
  const isExact = !isTooDeep && !hasInexactNumber && countKeys(value) === keys;
  return isExact ? undefined : findInexactness(text(), environment.DEPTH_LIMIT);
}

/**
 * Reads an event from its JSON text.
 * @param defaultTimestamp canonical; the time of an event that has none
 */
export function readEventText(text: string, context: ReadContext, defaultTimestamp?: string): Verdict {
  const parsed = parseEventText(text);
  if ('outcome' in parsed) return parsed;
  const { value } = parsed;
  const timed =
    defaultTimestamp !== undefined && isJsonObject(value) && !('timestamp' in value)
      ? { ...value, timestamp: defaultTimestamp }
      : value;
  return readEvent(timed, undefined, context);
}

/** Parses the JSON text of one event, unless it is beyond the bounds or cannot be parsed exactly. */
export function parseEventText(text: string): { readonly value: unknown } | RefusedVerdict {
  const scanner = new JsonScanner(Buffer.from(text), false, EVENT_BOUNDS, 1);
  while (scanner.advance());
  if (scanner.syntaxError !== undefined) return malformed(scanner.syntaxError);
  const [scanned] = scanner.values;
  if (scanner.isMany || !scanned) return notAnObject();
  if (scanned.exceeded !== undefined) return refuseOversized(scanned);
  const inexactness = findInexactness(text, environment.DEPTH_LIMIT);
  return inexactness ? refuseInexact(inexactness) : { value: JSON.parse(text) as unknown };
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
  if (inexactness) return refuseInexact(inexactness);
  if (!isJsonObject(value)) return notAnObject();
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

export const refuseInexact = ({ code, path, reason }: Inexactness): RefusedVerdict =>
  refuse(code, { [path.join('.') || 'event']: [reason] });

export const malformed = (syntaxError: string): RefusedVerdict =>
  refuse('malformed_json', { event: [syntaxError] });

const notAnObject = (): RefusedVerdict => refuse('wrong_type', { event: ['Must be a JSON object.'] });

export function refuse(code: RejectionCode, errors: FieldErrors): RefusedVerdict {
  return { outcome: 'refused', code, errors: boundErrors(errors, 'event') };
}

/** Reports everything that is wrong with an event, by field. */
function explain(dto: CreateEventDto, value: object): RefusedVerdict {
  // Without a prototype, so that a field called __proto__ is a field like any other.
  const errors = Object.create(null) as FieldErrors;
  const violations = dto.violations();
  for (const { field, path = [], message } of violations) errors[[field, ...path].join('.')] = [message];
  for (const key of Object.keys(value)) if (!CreateEventDto.isField(key)) errors[key] = ['Unknown field.'];
  return refuse(violations[0]?.code ?? 'unknown_field', errors);
}
