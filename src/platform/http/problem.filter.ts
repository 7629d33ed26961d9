import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors/domain-error.js';
import {
  badRequest,
  bodyTooLarge,
  internalError,
  pathForbidden,
  pathOf,
  pathTooLong,
  preconditionFailed,
  rangeNotSatisfiable,
  routeNotFound,
  unsupportedMediaType,
} from './http-errors.js';
import { problemHeaders, toProblemDocument } from './problem-document.js';

/** A response that reports an error in the form of another protocol. */
export interface RenderedError {
  readonly status: number;
  /** JSON is made of an object. */
  readonly body: object | string | Buffer;
  readonly contentType: string;
  /** Further headers; `Retry-After` is set if the error has one and this says nothing else. */
  readonly headers?: Readonly<Record<string, string>>;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Reports an error in the protocol of the route; undefined for problem documents. */
    renderError?: (error: DomainError, request: FastifyRequest) => RenderedError;
  }
}

/** Error codes of a stream whose other end has closed. */
const CONNECTION_LOST = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Turns every error into a problem document: domain errors, errors of Nest and Fastify, and unexpected ones. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  /** @param onProblem called with every error that is sent as a response */
  constructor(
    private readonly onProblem: (error: DomainError, request: FastifyRequest) => void = () => undefined,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const domainError = toDomainError(error, request);
    if (domainError.kind === 'internal') this.logger.error({ reqId: request.id, err: error });
    if (reply.sent || reply.raw.headersSent) return;
    this.onProblem(domainError, request);
    sendProblem(reply, domainError);
  }
}

export function sendProblem(reply: FastifyReply, error: DomainError): void {
  // A request that never reached a route has none.
  const rendered = reply.request.routeOptions?.config?.renderError?.(error, reply.request);
  if (rendered) {
    const { status, body, contentType, headers } = rendered;
    const ofKind = problemHeaders(error);
    const retryAfter = ofKind['retry-after'];
    void reply
      .status(status)
      // The others, such as WWW-Authenticate, belong to the status of the kind.
      .headers(status === toProblemDocument(error).status ? ofKind : {})
      .headers({ ...(retryAfter !== undefined && { 'retry-after': retryAfter }), ...headers })
      .header('content-type', contentType)
      .send(body);
    return;
  }
  const document = toProblemDocument(error);
  void reply.status(document.status).headers(problemHeaders(error)).send(document);
}

/** Names an error in terms of the client. The message of an unexpected error stays in the log. */
export function toDomainError(error: unknown, request: FastifyRequest): DomainError {
  if (error instanceof DomainError) return error;
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_BAD_URL')
    return new DomainError(
      'invalid',
      'malformed_url',
      `The path ${pathOf(request)} is not validly percent-encoded.`,
    );
  if (code !== undefined && CONNECTION_LOST.has(code) && isCutOff(request))
    return new DomainError('invalid', 'cut_off', 'The connection ended before the body was complete.');
  // Nest wraps errors of Fastify and keeps only their status.
  const status = error instanceof HttpException ? error.getStatus() : (statusCode ?? 500);
  return fromStatus(status, error, request);
}

function fromStatus(status: number, error: unknown, request: FastifyRequest): DomainError {
  switch (status) {
    case 403:
      return pathForbidden(request);
    case 404:
      return routeNotFound(request);
    case 412:
      return preconditionFailed();
    case 413:
      return bodyTooLarge();
    case 414:
      return pathTooLong();
    case 415:
      return unsupportedMediaType(request.headers['content-type']);
    case 416:
      return rangeNotSatisfiable();
    default:
      return status >= 400 && status < 500 ? badRequest((error as Error).message) : internalError();
  }
}

/**
 * Whether the client's connection is lost; an ECONNRESET may also come from another connection of the process. The socket
 * is checked too, because Node does not report a lost connection to a pipelined request.
 */
function isCutOff({ raw }: FastifyRequest): boolean {
  return raw.socket.destroyed || !raw.complete;
}
