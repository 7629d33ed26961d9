import { DomainError, type FieldErrors, InvalidFieldsError } from '../platform/errors/domain-error.js';
import { emptyBody } from '../platform/http/http-errors.js';
import type { ReadEvent } from '../platform/model/event.js';
import type { Verdict, Violation } from './event-reader.js';

/** Characters of JSON of the errors in one response. Beyond them, a refused event is named by its index only. */
const MAX_ERRORS_LENGTH = 64 * 1024;

/** A refused event of a request. */
export interface RefusedEvent {
  /** Its position in the request, from 0. */
  index: number;
  /** Empty if they are left out. */
  errors: FieldErrors;
}

/** An event that is accepted although it violates its type. */
export interface ObservedEvent extends Violation {
  readonly event: ReadEvent;
}

/** The events of a request: a single one, or many, some of which may be refused. */
export interface Submission {
  readonly many: boolean;
  readonly events: ReadEvent[];
  /** Those of the events that were observed. */
  readonly observed: readonly ObservedEvent[];
  readonly refused: RefusedEvent[];
  /** Refused events whose errors are left out. */
  readonly errorsLeftOut: number;
}

/** Collects the verdicts on the events of one request, in their order. */
export class SubmissionBuilder {
  private readonly events: ReadEvent[] = [];
  private readonly observed: ObservedEvent[] = [];
  private readonly refused: RefusedEvent[] = [];
  private size = 0;
  private errorsLength = 0;
  private errorsLeftOut = 0;

  /** @param many false for a single JSON object */
  constructor(private readonly many: boolean) {}

  add(verdict: Verdict): void {
    if (verdict.outcome === 'refused')
      this.refused.push({ index: this.size, errors: this.boundedErrors(verdict.errors) });
    else this.events.push(verdict.event);
    if (verdict.outcome === 'observed') this.observed.push(verdict);
    this.size++;
  }

  /** @throws DomainError `empty_body` without events, `invalid` if all were refused */
  build(): Submission {
    if (this.size === 0) throw emptyBody('The body contains no event.');
    const { many, events, observed, refused, errorsLeftOut } = this;
    if (events.length === 0) {
      const [first] = refused;
      if (!many && first) throw new InvalidFieldsError(first.errors);
      throw new DomainError('invalid', 'invalid', 'All events were refused.', {
        details: {
          accepted: 0,
          rejected: refused,
          ...(errorsLeftOut > 0 && { errors_left_out: errorsLeftOut }),
          ids: [],
        },
      });
    }
    return { many, events, observed, refused, errorsLeftOut };
  }

  private boundedErrors(errors: FieldErrors): FieldErrors {
    if (this.errorsLength < MAX_ERRORS_LENGTH) {
      this.errorsLength += JSON.stringify(errors).length;
      return errors;
    }
    this.errorsLeftOut++;
    return {};
  }
}

/** @param maxEvents of one request */
export function tooManyEvents(maxEvents: number): DomainError {
  const limit = maxEvents.toLocaleString('en');
  return new DomainError(
    'too_large',
    'too_many_events',
    `A request may hold at most ${limit} events; split it into several requests.`,
  );
}
