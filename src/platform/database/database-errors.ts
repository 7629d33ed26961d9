import { certificateProblem } from '../errors/certificate-problem.js';
import { UnavailableError } from '../errors/domain-error.js';
import { isProgrammingError } from '../errors/programming-error.js';

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

/** The database cannot be used as it is. The message says what to change. */
export class UnusableDatabaseError extends Error {}

/** The server is a standby, or a primary that was demoted. Another one may be the primary. */
export class ReadOnlyError extends Error {
  constructor() {
    super('PostgreSQL is read-only: it is a standby, or was demoted');
  }
}

/**
 * What an error of PostgreSQL means.
 * - `refusal`: it refuses a row, however often it is tried.
 * - `outage`: the server or the connection cannot be used right now. Says nothing of a row.
 * - `conflict`: the statement lost against another one. It succeeds when it is repeated.
 * - `misconfiguration`: the connection settings are wrong, which waiting does not fix.
 * - `unplaced`: there is no partition for a row. It can be stored when somebody has made one.
 * - `fault`: this program failed, not PostgreSQL. Says nothing of a row.
 * - `unknown`: anything else, e.g. a missing table. Says nothing of a row, unless other rows can be stored meanwhile.
 */
export type FailureKind =
  'refusal' | 'outage' | 'conflict' | 'misconfiguration' | 'unplaced' | 'fault' | 'unknown';

/**
 * Kinds of failure by SQLSTATE, or by its class, its first two characters. What is not listed is `unknown`.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const FAILURES: Readonly<Record<string, FailureKind>> = {
  // A value cannot be represented, or breaks a constraint, a CHECK option of a view, or a limit such as the size of an
  // index row. A trigger that raises an exception refuses a row on purpose.
  22: 'refusal',
  23: 'refusal',
  44: 'refusal',
  54: 'refusal',
  P0001: 'refusal',
  // The connection failed, the session is read-only (25006) or in the wrong state (25, 26: a pooler mixed up sessions),
  // resources are used up (53), an operator intervened (57), or the system failed (58, F0: a file of the server).
  '08': 'outage',
  25: 'outage',
  26: 'outage',
  53: 'outage',
  57: 'outage',
  58: 'outage',
  F0: 'outage',
  // Serialization, deadlocks, conflicts with the recovery of a standby (40), locks that were not granted in time (55P03),
  // and snapshots that are too old (72).
  40: 'conflict',
  '55P03': 'conflict',
  72: 'conflict',
  // Wrong user or password, or no such database.
  28: 'misconfiguration',
  '3D': 'misconfiguration',
};

/** What node-postgres says, without a code, where `sslmode` demands TLS. */
const NO_TLS = 'The server does not support SSL connections';

/** The common fields of errors of node-postgres and of Node.js. */
interface ErrorFields {
  readonly code?: unknown;
  readonly severity?: string;
  readonly constraint?: string;
  readonly message?: string;
}

/** The fields of an error; TypeORM wraps those of PostgreSQL. */
function fieldsOf(error: unknown): ErrorFields {
  const { driverError } = (error ?? {}) as { driverError?: ErrorFields };
  return driverError ?? error ?? {};
}

/** The five-character SQLSTATE of an error; undefined if the error does not come from PostgreSQL. */
export function sqlState(error: unknown): string | undefined {
  const { code } = fieldsOf(error);
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E') ? code : undefined;
}

/** What an error means, whether it comes from PostgreSQL or from the way to it. */
export function failureKindOf(error: unknown): FailureKind {
  if (error instanceof UnusableDatabaseError) return 'misconfiguration';
  const { code, severity, constraint, message } = fieldsOf(error);
  const state = sqlState(error);
  if (state === undefined) {
    if (isProgrammingError(error)) return 'fault';
    const problem = certificateProblem(code);
    // One that has expired may be renewed while The Eye runs.
    const isWrong = (problem !== undefined && problem !== 'expired') || message === NO_TLS;
    return isWrong ? 'misconfiguration' : 'outage';
  }
  const kind = FAILURES[state] ?? FAILURES[state.slice(0, 2)] ?? 'unknown';
  // PostgreSQL ends the session with such an error, and poolers respond with it instead of PostgreSQL.
  if (severity === 'FATAL' || severity === 'PANIC')
    return kind === 'misconfiguration' ? 'misconfiguration' : 'outage';
  // A CHECK has a name. "no partition of relation … found for row" has the same SQLSTATE and none.
  return state === '23514' && constraint === undefined ? 'unplaced' : kind;
}

/** True if the connection settings are wrong. */
export function isMisconfiguration(error: unknown): boolean {
  return failureKindOf(error) === 'misconfiguration';
}

/** The cause of an error, for the log: a full disk and a broken network need different fixes. */
export function describeCause(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (error instanceof DatabaseUnavailableError) return cause ? describeCause(cause) : 'no response in time';
  // A refused connection is an AggregateError without a message of its own.
  const { message, code } = error as { message?: string; code?: string };
  const state = sqlState(error);
  return `${message || code || String(error)}${state === undefined ? '' : ` [${state}]`}`;
}
