import { STATUS_CODES } from 'node:http';

import type { FieldErrors } from '../errors/domain-error.js';

export type { FieldErrors } from '../errors/domain-error.js';

export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  /** Stable; for programs to tell problems apart. */
  code: string;
  detail: string;
  errors?: FieldErrors;
  [extension: string]: unknown;
}

/**
 * An answer that is an error, as RFC 9457 problem details.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    /** Members beside the standard ones, such as `errors` and `rejected`. */
    readonly extensions: { errors?: FieldErrors; [extension: string]: unknown } = {},
    readonly headers: Record<string, string> = {},
  ) {
    super(detail);
  }

  body(): ProblemDetails {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      code: this.code,
      detail: this.detail,
      ...this.extensions,
    };
  }

  /** One or more fields are not as they must be. */
  static invalid(errors: FieldErrors, detail = 'Some fields are not as they must be.'): Problem {
    return new Problem(400, 'invalid', detail, { errors });
  }

  /** Something that The Eye needs is away or full; `seconds` says when to try again. */
  static unavailable(code: string, detail: string, seconds = 1): Problem {
    return new Problem(503, code, detail, {}, { 'retry-after': String(seconds) });
  }
}
