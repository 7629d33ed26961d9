import { QueryFailedError } from 'typeorm';
import { UnavailableError } from '../errors/domain-error.js';

/** PostgreSQL did not answer, or not in time. Whoever asked may ask again; nothing was refused. */
export class DatabaseUnavailableError extends UnavailableError {
  constructor({ late = false, ...options }: ErrorOptions & { late?: boolean } = {}) {
    super(
      'database_unavailable',
      late ? 'PostgreSQL did not answer in time.' : 'PostgreSQL is not available right now.',
      options,
    );
  }
}

/**
 * SQLSTATE classes that mean "this row cannot be kept", however often it is tried: data exceptions (22), broken
 * constraints (23), program limits such as an index row that is too long (54), views with a check (44), features
 * (0A), exceptions raised by a trigger (P0) and internal errors (XX).
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const REFUSALS = new Set(['22', '23', '54', '44', '0A', 'P0', 'XX']);

/** Classes that mean "not now": connection (08), resources (53), operator intervention (57), system (58). */
const OUTAGES = new Set(['08', '53', '57', '58']);

/** Wrong password or user (28) and wrong database (3D): waiting does not mend them. */
const MISCONFIGURATIONS = new Set(['28', '3D']);

/** The five-character SQLSTATE of an error, or undefined where PostgreSQL itself said nothing. */
export function sqlState(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

/** True where PostgreSQL looked at the rows and will never take them as they are. */
export function isRowRejection(error: unknown): boolean {
  return REFUSALS.has(sqlState(error)?.slice(0, 2) ?? '');
}

/** True where PostgreSQL could not be asked: no SQLSTATE at all (a network error), or one that names an outage. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || OUTAGES.has(state.slice(0, 2));
}

/** True where the connection settings themselves are wrong. */
export function isMisconfiguration(error: unknown): boolean {
  return MISCONFIGURATIONS.has(sqlState(error)?.slice(0, 2) ?? '');
}

/** What went wrong, for the log: a full disk is mended otherwise than a network. */
export function describeCause(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (error instanceof DatabaseUnavailableError) return cause ? describeCause(cause) : 'no answer in time';
  // A refused connection is an AggregateError without a message of its own.
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}
