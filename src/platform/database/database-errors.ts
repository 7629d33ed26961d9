import { QueryFailedError } from 'typeorm';
import { UnavailableError } from '../errors/domain-error.js';

/** PostgreSQL is not connected or did not respond in time. The statement may be tried again. */
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
 * SQLSTATE classes that mean "this row cannot be stored", however often it is tried: data exceptions (22), violated
 * constraints (23), program limits such as an index row that is too long (54), violated CHECK options of views (44),
 * unsupported features (0A), exceptions raised by a trigger (P0) and internal errors (XX).
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ROW_REJECTIONS = new Set(['22', '23', '54', '44', '0A', 'P0', 'XX']);

/** Classes of temporary errors: connection (08), resources (53), operator intervention (57) and system (58). */
const OUTAGES = new Set(['08', '53', '57', '58']);

/** Wrong user or password (28) and wrong database (3D), which waiting does not fix. */
const MISCONFIGURATIONS = new Set(['28', '3D']);

/** The five-character SQLSTATE of an error; undefined if the error does not come from PostgreSQL. */
export function sqlState(error: unknown): string | undefined {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

/** True if PostgreSQL rejected the rows and would always reject them. */
export function isRowRejection(error: unknown): boolean {
  return ROW_REJECTIONS.has(sqlState(error)?.slice(0, 2) ?? '');
}

/** True if PostgreSQL is unavailable: there is no SQLSTATE (a network error), or one of an outage. */
export function isOutage(error: unknown): boolean {
  const state = sqlState(error);
  return state === undefined || OUTAGES.has(state.slice(0, 2));
}

/** True if the connection settings are wrong. */
export function isMisconfiguration(error: unknown): boolean {
  return MISCONFIGURATIONS.has(sqlState(error)?.slice(0, 2) ?? '');
}

/** The cause of an error, for the log: a full disk and a broken network need different fixes. */
export function describeCause(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (error instanceof DatabaseUnavailableError) return cause ? describeCause(cause) : 'no response in time';
  // A refused connection is an AggregateError without a message of its own.
  const { message, code } = error as { message?: string; code?: string };
  return message || code || String(error);
}
