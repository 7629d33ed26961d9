import type { ErrorKind } from '../errors/domain-error.js';

interface ProblemEntry {
  readonly status: number;
  /** Headers that every response of this kind carries. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
}

/** How each kind of domain error becomes an HTTP response. The filter and Swagger both read this table. */
export const PROBLEM_TABLE: Readonly<Record<ErrorKind, ProblemEntry>> = {
  invalid: { status: 400 },
  unauthenticated: {
    status: 401,
    responseHeaders: {
      'www-authenticate': 'Bearer realm="The Eye", Basic realm="The Eye", charset="UTF-8"',
    },
  },
  forbidden: { status: 403 },
  not_found: { status: 404 },
  timeout: { status: 408 },
  conflict: { status: 409 },
  too_large: { status: 413 },
  path_too_long: { status: 414 },
  unsupported: { status: 415 },
  expectation_failed: { status: 417 },
  rate_limited: { status: 429 },
  header_too_large: { status: 431 },
  internal: { status: 500 },
  unavailable: { status: 503 },
};
