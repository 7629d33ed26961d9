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

export function routeNotFound(request: FastifyRequest): DomainError {
  return new NotFoundError(`No route matches ${request.method} ${pathOf(request)}.`);
}

export function bodyTooLarge(): DomainError {
  const limit = environment.BODY_LIMIT.toLocaleString('en');
  return new DomainError(
    'too_large',
    'body_too_large',
    `The request body exceeds ${limit} bytes; split it into several requests.`,
  );
}

/** @param received the content type or encoding of the request */
export function unsupportedMediaType(received: string | undefined): DomainError {
  return new DomainError(
    'unsupported',
    'unsupported_media_type',
    `Send application/json or application/x-ndjson, in UTF-8 and not compressed${received ? `, not ${received}` : ''}.`,
  );
}

export function malformedRequest(message: string): DomainError {
  return new DomainError('invalid', 'malformed_request', message);
}

/** The path of a request, without its query, which may hold keys and payloads. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
