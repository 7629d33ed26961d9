/** Messages by field, as in `{ "timestamp": ["This day does not exist."] }`. */
export type FieldErrors = Record<string, string[]>;

/** What went wrong, in terms of the caller. The HTTP layer maps each kind to a status (see `problem-table.ts`). */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'timeout'
  | 'conflict'
  | 'precondition_failed'
  | 'too_large'
  | 'path_too_long'
  | 'unsupported'
  | 'unsupported_encoding'
  | 'range_not_satisfiable'
  | 'expectation_failed'
  | 'misdirected'
  | 'unprocessable'
  | 'rate_limited'
  | 'header_too_large'
  | 'internal'
  | 'unavailable';

export interface DomainErrorOptions extends ErrorOptions {
  /** What is wrong, by field. */
  readonly errors?: FieldErrors;
  /** Further members of the problem document, such as `rejected`. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number;
}

/**
 * An error that is reported to the caller. Services throw it without knowing HTTP; ProblemFilter turns it into an RFC 9457
 * problem document.
 *
 * @example throw new DomainError('conflict', 'already_exists', 'An application with this name already exists.');
 */
export class DomainError extends Error {
  readonly errors: FieldErrors | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  /**
   * @param code stable, for programs; documented in `docs/api.md`
   * @param message one or two sentences for a person
   */
  constructor(
    readonly kind: ErrorKind,
    readonly code: string,
    message: string,
    { errors, details = {}, retryAfterSeconds, ...options }: DomainErrorOptions = {},
  ) {
    super(message, options);
    this.errors = errors;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** One or more fields of a body are invalid. */
export class InvalidFieldsError extends DomainError {
  constructor(errors: FieldErrors, message = 'Some fields are invalid.') {
    super('invalid', 'invalid', message, { errors });
  }
}

/** One or more query parameters are invalid. */
export class InvalidParametersError extends DomainError {
  constructor(errors: FieldErrors) {
    super('invalid', 'invalid', 'Some parameters are invalid.', { errors });
  }
}

/** Query parameters that the route does not have. Names of Object.prototype are names like any others. */
export const unknownParameters = (names: readonly string[]): InvalidParametersError =>
  new InvalidParametersError(Object.fromEntries(names.map((name) => [name, ['Unknown parameter.']])));

/** The resource does not exist. */
export class NotFoundError extends DomainError {
  constructor(message: string) {
    super('not_found', 'not_found', message);
  }
}

/** A dependency is down or a limit of concurrent work is reached; the same request may succeed later. */
export class UnavailableError extends DomainError {
  constructor(code: string, message: string, options: DomainErrorOptions = {}) {
    super('unavailable', code, message, { retryAfterSeconds: 1, ...options });
  }
}
