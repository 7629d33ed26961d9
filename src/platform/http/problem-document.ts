import { STATUS_CODES } from 'node:http';
import type { DomainError, FieldErrors } from '../errors/domain-error.js';
import { problemEntryOf } from './problem-table.js';

/**
 * The body of every error response.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  /** Stable, for programs. */
  code: string;
  /** For people. */
  detail: string;
  errors?: FieldErrors;
  [extension: string]: unknown;
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8';

/** Renders an error as a problem document. */
export function toProblemDocument(error: DomainError): ProblemDocument {
  const { kind, code, message, errors, details } = error;
  const { status } = problemEntryOf(kind);
  return {
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    code,
    detail: message,
    ...(errors && { errors }),
    ...details,
  };
}

/** The headers that go with a problem document. */
export function problemHeaders({ kind, retryAfterSeconds }: DomainError): Record<string, string> {
  return {
    'content-type': PROBLEM_CONTENT_TYPE,
    ...problemEntryOf(kind).responseHeaders,
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
  };
}
