import type { FastifyRequest } from 'fastify';
import { environment } from '../config/environment.js';
import { DomainError, NotFoundError } from '../errors/domain-error.js';
import { CONTENT_CODINGS, type ContentCoding } from './encoding/content-codings.js';

export const routeNotFound = (request: FastifyRequest): DomainError =>
  new NotFoundError(`No route matches ${request.method} ${pathOf(request)}.`);

/** @param allowed the methods of the path */
export const methodNotAllowed = (method: string, allowed: string[]): DomainError =>
  new DomainError(
    'method_not_allowed',
    'method_not_allowed',
    `This path does not take ${method}, only ${allowed.join(', ')}.`,
  );

/** @param host the `Host` of the request */
export const wrongHost = (host: string): DomainError =>
  new DomainError(
    'misdirected',
    'wrong_host',
    `The Eye does not answer for the host ${host}. If it should, add the name to ALLOWED_HOSTS or set PUBLIC_URL.`,
  );

/** @param message what is missing, and what to send */
export const emptyBody = (message: string): DomainError => new DomainError('invalid', 'empty_body', message);

/** @param message what no JSON parser takes, or what the format of the route does not allow */
export const malformedJson = (message: string): DomainError =>
  new DomainError('invalid', 'malformed_json', message);

/** The path of a file leads out of the folder of files. */
export const pathForbidden = (request: FastifyRequest): DomainError =>
  new DomainError('forbidden', 'forbidden', `No file can have the path ${pathOf(request)}.`);

export const preconditionFailed = (): DomainError =>
  new DomainError(
    'precondition_failed',
    'precondition_failed',
    'The file is none of the versions that the request names.',
  );

export const rangeNotSatisfiable = (): DomainError =>
  new DomainError(
    'range_not_satisfiable',
    'range_not_satisfiable',
    'The file does not have the requested range of bytes.',
  );

/** @param limit bytes of a body on this route */
export function bodyTooLarge(limit = environment.BODY_LIMIT): DomainError {
  const advice = limit === environment.BODY_LIMIT ? '; split it into several requests' : '';
  return new DomainError(
    'too_large',
    'body_too_large',
    `The request body exceeds ${limit.toLocaleString('en')} bytes${advice}.`,
  );
}

export const zstdFrameTooLarge = (limit: number): DomainError =>
  new DomainError(
    'too_large',
    'body_too_large',
    `A frame of zstd has more than ${limit.toLocaleString('en')} bytes; send several frames.`,
  );

/** @param received the content type of the request */
export const unsupportedMediaType = (received: string | undefined): DomainError =>
  new DomainError(
    'unsupported',
    'unsupported_media_type',
    `Send application/json or application/x-ndjson, in UTF-8${received ? `, not ${received}` : ''}.`,
  );

/** A separate kind, because only this 415 may name codings in `Accept-Encoding` (RFC 9110, section 12.5.3). */
export const unsupportedContentEncoding = (encoding: string): DomainError =>
  new DomainError(
    'unsupported_encoding',
    'unsupported_media_type',
    `Send the body without compression or with one of ${CONTENT_CODINGS.join(', ')}, not with Content-Encoding: ${encoding}.`,
  );

/**
 * @param coding which the body has, by its headers or by its first bytes
 * @param reason what is wrong with it, if that is known
 */
export const malformedEncoding = (coding: ContentCoding, cause?: Error, reason?: string): DomainError =>
  new DomainError(
    'invalid',
    'malformed_encoding',
    `The body is not complete and valid ${coding}${reason ? `: ${reason}` : ''}.`,
    { cause },
  );

export const tooManyChunks = (): DomainError =>
  new DomainError(
    'too_large',
    'body_too_large',
    'The request body arrives in too many small chunks; send fewer and larger ones.',
  );

export const tooManyBlocks = (): DomainError =>
  new DomainError(
    'too_large',
    'body_too_large',
    'The request body is compressed in too many small pieces; compress fewer and larger ones.',
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

/** An error of Nest, Fastify or one of its plugins, whose status says no more than that the request is at fault. */
export const badRequest = (message: string): DomainError =>
  new DomainError('invalid', 'bad_request', message);

export const malformedRequest = (message: string): DomainError =>
  new DomainError('invalid', 'malformed_request', message);

/** The path of a request, without its query, which may hold keys and payloads. */
export function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
