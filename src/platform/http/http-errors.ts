import type { FastifyRequest } from 'fastify';
import { environment } from '../config/environment.js';
import { DomainError, NotFoundError } from '../errors/domain-error.js';

/** An error of Nest, Fastify or one of its plugins, with a 4xx status that no kind of domain error has. */
export class HttpError extends DomainError {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super('invalid', 'bad_request', message);
  }
}

export const routeNotFound = (request: FastifyRequest): DomainError =>
  new NotFoundError(`No route matches ${request.method} ${pathOf(request)}.`);

export function bodyTooLarge(): DomainError {
  const limit = environment.BODY_LIMIT.toLocaleString('en');
  return new DomainError(
    'too_large',
    'body_too_large',
    `The request body exceeds ${limit} bytes; split it into several requests.`,
  );
}

/** @param received the content type or encoding of the request */
export const unsupportedMediaType = (received: string | undefined): DomainError =>
  new DomainError(
    'unsupported',
    'unsupported_media_type',
    `Send application/json or application/x-ndjson, in UTF-8 and not compressed${received ? `, not ${received}` : ''}.`,
  );

export const pathTooLong = (): DomainError =>
  new DomainError('path_too_long', 'path_too_long', 'A segment of the path is too long.');

export const headerTooLarge = (): DomainError =>
  new DomainError('header_too_large', 'header_too_large', 'The header section of the request is too large.');

export const requestTimeout = (): DomainError =>
  new DomainError('timeout', 'request_timeout', 'The request did not arrive in time.');

/** @param expect the value of the `Expect` header */
export const expectationFailed = (expect: string | undefined): DomainError =>
  new DomainError(
    'expectation_failed',
    'expectation_failed',
    `Expect: ${expect} cannot be met, only 100-continue.`,
  );

/** An unexpected error, whose message is for the log only. */
export const internalError = (): DomainError =>
  new DomainError('internal', 'internal_error', 'The Eye failed to respond; its log holds the reason.');

export const malformedRequest = (message: string): DomainError =>
  new DomainError('invalid', 'malformed_request', message);

/** The path of a request, without its query, which may hold keys and payloads. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
