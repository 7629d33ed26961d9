import { DomainError, type ErrorKind, type FieldErrors } from '../errors/domain-error.js';
import { PROBLEM_TABLE } from './problem-table.js';

export type { FieldErrors } from '../errors/domain-error.js';

/** @deprecated throw a DomainError; this class goes away with its last use */
export class Problem extends DomainError {
  constructor(
    readonly status: number,
    code: string,
    readonly detail: string,
    readonly extensions: { errors?: FieldErrors; [extension: string]: unknown } = {},
    readonly headers: Record<string, string> = {},
  ) {
    const { errors, ...details } = extensions;
    const retryAfterSeconds =
      headers['retry-after'] === undefined ? undefined : Number(headers['retry-after']);
    const kinds = Object.keys(PROBLEM_TABLE) as ErrorKind[];
    const kind = kinds.find((each) => PROBLEM_TABLE[each].status === status) ?? 'invalid';
    super(kind, code, detail, { errors, details, retryAfterSeconds });
  }

  static invalid(errors: FieldErrors, detail = 'Some fields are invalid.'): Problem {
    return new Problem(400, 'invalid', detail, { errors });
  }

  static unavailable(code: string, detail: string, seconds = 1): Problem {
    return new Problem(503, code, detail, {}, { 'retry-after': String(seconds) });
  }
}
