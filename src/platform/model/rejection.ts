import type { FieldErrors } from '../errors/domain-error.js';

/** Why an event was refused. Stable, for programs. */
export const REJECTION_CODES = [
  'missing_field',
  'wrong_type',
  'unknown_field',
  'empty',
  'too_long',
  'too_large',
  'too_deep',
  'malformed_json',
  'not_utf8',
  'unsupported_media_type',
  'not_exact',
  'not_storable',
  'invalid_timestamp',
  'timestamp_in_future',
  'timestamp_too_old',
  'unknown_type',
  'too_many_types',
  'payload_mismatch',
  'refused_by_database',
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

/**
 * `refused`: the sender got an error. `observed`: a violation was recorded, and the event was stored. `set_aside`:
 * dead-lettered, that is accepted and then refused by PostgreSQL.
 */
export const REJECTION_OUTCOMES = ['refused', 'observed', 'set_aside'] as const;
export type RejectionOutcome = (typeof REJECTION_OUTCOMES)[number];

/** A refused event, or an accepted one with a recorded violation. */
export interface NewRejection {
  readonly application: string;
  readonly code: RejectionCode;
  /** Messages by field. */
  readonly errors: FieldErrors;
  /** A JSON value, or the text of malformed JSON; undefined if the event was not read. */
  readonly event: unknown;
  /** The JSON text of the event, if it is at hand, or if parsing has changed it. */
  readonly json?: string;
  /** The texts by which it is found, if they are not those of `event`. */
  readonly texts?:
    { readonly session_id: unknown; readonly category: unknown; readonly name: unknown } | undefined;
  /** The protocol that `event` is in; undefined for The Eye's own. */
  readonly dialect?: string;
  /** The id of the event, if it has one. */
  readonly eventId?: string | undefined;
  /** True if the event was accepted (an event type in mode `observe`). */
  readonly observed: boolean;
}
