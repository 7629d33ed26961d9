import {
  DomainError,
  type ErrorKind,
  InvalidFieldsError,
  NotFoundError,
  UnavailableError,
} from '../errors/domain-error.js';
import { CONTENT_CODINGS } from './encoding/content-codings.js';
import {
  bodyTooLarge,
  expectationFailed,
  headerTooLarge,
  internalError,
  methodNotAllowed,
  pathTooLong,
  preconditionFailed,
  rangeNotSatisfiable,
  requestTimeout,
  unsupportedContentEncoding,
  unsupportedMediaType,
  wrongHost,
} from './http-errors.js';
import { EVENT_MEDIA_TYPES } from './media-types.js';

/** A list as a header has it. */
const MEDIA_TYPES = EVENT_MEDIA_TYPES.join(', ');

/** The codings of a body, likewise. */
const CODINGS = [...CONTENT_CODINGS, 'identity'].join(', ');

/** Headers as OpenAPI describes them. */
type HeaderDescriptions = Readonly<Record<string, object>>;

export interface ProblemEntry {
  readonly status: number;
  /** For Swagger: when this happens. */
  readonly description: string;
  /** For Swagger: an error of this kind. */
  readonly example: DomainError;
  /** Headers that every response of this kind carries. */
  readonly responseHeaders?: Readonly<Record<string, string>>;
  /** For Swagger: headers of the response. */
  readonly documentedHeaders?: HeaderDescriptions;
}

const textHeader = (description: string, example: string) => ({
  description,
  schema: { type: 'string', example },
});
const RETRY_AFTER = {
  'Retry-After': {
    description: 'Seconds until a retry may succeed.',
    schema: { type: 'integer', example: 1 },
  },
};
const AUTHENTICATE = 'Bearer realm="The Eye", Basic realm="The Eye", charset="UTF-8"';

/** How each kind of domain error becomes an HTTP response. ProblemFilter and Swagger both read this table. */
export const PROBLEM_TABLE = {
  invalid: {
    status: 400,
    description: 'The request is invalid.',
    example: new InvalidFieldsError({ session_id: ['This field is required.'] }),
  },
  unauthenticated: {
    status: 401,
    description:
      'The key is missing, unknown, revoked or expired. A missing one only if authentication is required (`AUTH=required`).',
    example: new DomainError(
      'unauthenticated',
      'unauthorized',
      'Present a valid key: `Authorization: Bearer <key>`.',
    ),
    responseHeaders: { 'www-authenticate': AUTHENTICATE },
    documentedHeaders: { 'WWW-Authenticate': textHeader('The accepted schemes.', AUTHENTICATE) },
  },
  forbidden: {
    status: 403,
    description:
      'The key lacks the scope, asks for what belongs to another application, or a page of another origin sent the request and the key does not list that origin.',
    example: new DomainError('forbidden', 'forbidden', 'This key may not do that.'),
  },
  not_found: {
    status: 404,
    description: 'The resource does not exist.',
    example: new NotFoundError('There is no event with this id.'),
  },
  method_not_allowed: {
    status: 405,
    description: 'The path does not take this method. `Allow` lists those that it takes.',
    example: methodNotAllowed('PUT', ['GET', 'HEAD', 'POST', 'OPTIONS']),
    documentedHeaders: { Allow: textHeader('The methods of the path.', 'GET, HEAD, POST, OPTIONS') },
  },
  timeout: {
    status: 408,
    description: 'The request did not arrive in time.',
    example: requestTimeout(),
  },
  conflict: {
    status: 409,
    description: 'The request conflicts with the present state.',
    example: new DomainError(
      'conflict',
      'conflict',
      'It exists already, or another request changed it at the same time.',
    ),
  },
  precondition_failed: {
    status: 412,
    description: 'The file is none of the versions that the request names.',
    example: preconditionFailed(),
  },
  too_large: {
    status: 413,
    description: 'The request exceeds a limit.',
    example: bodyTooLarge(),
  },
  path_too_long: {
    status: 414,
    description: 'A segment of the path is too long.',
    example: pathTooLong(),
  },
  unsupported: {
    status: 415,
    description: 'The content type, the charset or the compression of the body is not supported.',
    example: unsupportedMediaType('text/plain'),
    responseHeaders: { accept: MEDIA_TYPES, 'accept-post': MEDIA_TYPES },
    documentedHeaders: {
      Accept: textHeader('The accepted media types, unless the compression was the reason.', MEDIA_TYPES),
      'Accept-Post': textHeader('The same as `Accept`.', MEDIA_TYPES),
      'Accept-Encoding': textHeader('The accepted codings, if the compression was the reason.', CODINGS),
    },
  },
  unsupported_encoding: {
    status: 415,
    description: 'The compression of the body is not supported.',
    example: unsupportedContentEncoding('compress'),
    responseHeaders: { 'accept-encoding': CODINGS },
  },
  range_not_satisfiable: {
    status: 416,
    description: 'The file does not have the requested range of bytes.',
    example: rangeNotSatisfiable(),
  },
  expectation_failed: {
    status: 417,
    description: 'The `Expect` header cannot be met.',
    example: expectationFailed('200-ok'),
  },
  misdirected: {
    status: 421,
    description: 'The `Host` of the request is none of this server.',
    example: wrongHost('attacker.example:8000'),
  },
  unprocessable: {
    status: 422,
    description:
      'The question needs more time, memory or rows than one may use. The message says how to narrow it.',
    example: new DomainError(
      'unprocessable',
      'question_too_large',
      'This question needs more memory than it may use (max_memory_usage). Ask for a shorter range of time, add filters, or group by fewer values.',
    ),
  },
  rate_limited: {
    status: 429,
    description:
      'The caller has used its quota of this minute, or its share of the bodies that are received at once. ' +
      '`Retry-After` says when to retry.',
    example: new DomainError(
      'rate_limited',
      'rate_limited',
      'This key may send 600,000 events a minute, and fewer than this request needs are left.',
    ),
    documentedHeaders: {
      ...RETRY_AFTER,
      'RateLimit-Policy': textHeader('Events in a window of seconds.', '"events";q=600000;w=60'),
      RateLimit: textHeader(
        'Events left, and seconds until the window ends. Every response to a key carries it.',
        '"events";r=0;t=12',
      ),
    },
  },
  header_too_large: {
    status: 431,
    description: 'The header section is too large.',
    example: headerTooLarge(),
  },
  internal: {
    status: 500,
    description: 'The Eye failed.',
    example: internalError(),
  },
  unavailable: {
    status: 503,
    description:
      'PostgreSQL, Redis or ClickHouse is unavailable, the backlog is full, or too many requests came at once. `Retry-After` says when to retry.',
    example: new UnavailableError(
      'queue_unavailable',
      'Redis is not available right now; nothing was accepted.',
    ),
    documentedHeaders: RETRY_AFTER,
  },
} as const satisfies Readonly<Record<ErrorKind, ProblemEntry>>;

/** The statuses that a route can document with `@ApiProblems()`. */
export type ProblemStatus = (typeof PROBLEM_TABLE)[ErrorKind]['status'];

export const problemEntryOf = (kind: ErrorKind): ProblemEntry => PROBLEM_TABLE[kind];
