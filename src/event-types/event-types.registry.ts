import { Injectable } from '@nestjs/common';
import type { FieldErrors } from '../http/problem.js';
import type { RejectionCode } from '../rejections/new-rejection.js';

/** What an event type holds against an event: `refused`, or accepted and only to be noted. */
export interface Objection {
  readonly refused: boolean;
  readonly code: Extract<RejectionCode, 'payload_mismatch' | 'unknown_type'>;
  /** Messages by path, e.g. `data.form.first_name`. */
  readonly errors: FieldErrors;
}

/** The event types of this moment, in memory. */
@Injectable()
export class EventTypes {
  /** What the type of an event holds against it; undefined where nothing, which is the rule. */
  check(category: string, name: string, data: Record<string, unknown>): Objection | undefined {
    void [category, name, data];
    return undefined;
  }
}
