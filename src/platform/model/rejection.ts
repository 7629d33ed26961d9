import type { FieldErrors } from '../errors/domain-error.js';

/** Why an event was refused, stable, for programs. */
export const REJECTION_CODES = [
  'missing_field',
  'wrong_type',
  'unknown_field',
  'empty',
  'too_long',
  'too_large',
  'too_deep',
  'malformed_json',
  'not_exact',
  'not_storable',
  'invalid_timestamp',
  'timestamp_in_future',
  'unknown_type',
  'payload_mismatch',
  'refused_by_database',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/** What became of the event: refused to its sender, stored all the same, or accepted and then refused by PostgreSQL. */
export const OUTCOMES = ['refused', 'observed', 'set_aside'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Something that an application sent and that was refused, or that only was noticed. */
export interface NewRejection {
  readonly application: string;
  readonly code: RejectionCode;
  /** Messages by field. */
  readonly errors: FieldErrors;
  /** The event: a value that JSON can hold, or the text that came where it is no JSON; undefined where it was not read. */
  readonly event: unknown;
  /** The event's JSON text, where it is at hand, or where reading the event has changed it. */
  readonly json?: string;
  /** The event's id, where it has one. */
  readonly eventId?: string;
  /** True where the event was stored all the same (an event type in mode `observe`). */
  readonly observed: boolean;
}
