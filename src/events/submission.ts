import { environment } from '../platform/config/environment.js';
import { DomainError, type FieldErrors, InvalidFieldsError } from '../platform/errors/domain-error.js';
import type { NewEvent } from '../platform/model/event.js';
import type { Verdict } from './event-reader.js';

/** A refused event of a request. */
export interface RefusedEvent {
  /** Its position in the request, from 0. */
  index: number;
  errors: FieldErrors;
}

/** The events of a request: a single one, or many, some of which may be refused. */
export interface Submission {
  readonly many: boolean;
  readonly events: NewEvent[];
  readonly refused: RefusedEvent[];
}

/** Collects the verdicts on the events of one request, in their order. */
export class SubmissionBuilder {
  private readonly events: NewEvent[] = [];
  private readonly refused: RefusedEvent[] = [];
  /** Number of events so far. */
  size = 0;

  /** @param many false for a single JSON object */
  constructor(private readonly many: boolean) {}

  /** @throws DomainError `too_many_events` */
  add(verdict: Verdict): void {
    if (verdict.outcome === 'refused') this.refused.push({ index: this.size, errors: verdict.errors });
    else this.events.push(verdict.event);
    this.size++;
    if (this.size > environment.EVENTS_LIMIT) throw tooManyEvents();
  }

  /** @throws DomainError `empty_body` without events, `invalid` if all were refused */
  build(): Submission {
    if (this.size === 0) throw emptyBody('The body contains no event.');
    if (this.events.length === 0) {
      const [first] = this.refused;
      if (!this.many && first) throw new InvalidFieldsError(first.errors);
      throw new DomainError('invalid', 'invalid', 'All events were refused.', {
        details: { accepted: 0, rejected: this.refused, ids: [] },
      });
    }
    return { many: this.many, events: this.events, refused: this.refused };
  }
}

export const emptyBody = (message: string): DomainError => new DomainError('invalid', 'empty_body', message);

export function tooManyEvents(): DomainError {
  const limit = environment.EVENTS_LIMIT.toLocaleString('en');
  return new DomainError(
    'too_large',
    'too_many_events',
    `A request may hold at most ${limit} events; split it into several requests.`,
  );
}
