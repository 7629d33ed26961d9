import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { environment } from '../config/environment.js';
import { DatabaseUnavailableError } from '../database/database-errors.js';
import { BacklogFullError, QueueUnavailableError } from '../../queue/queue-errors.js';
import { DomainError } from '../errors/domain-error.js';
import { Problem } from './problem.js';
import { PROBLEM_TABLE } from './problem-table.js';

/** How a body ends whose sender hung up, and an answer whose reader did. */
const GONE = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE']);

/** The one place where errors become answers: ours, Nest's, Fastify's, and those nobody thought of. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Errors');

  /** @param note is told of every problem that becomes an answer */
  constructor(private readonly note: (problem: Problem, request: FastifyRequest) => void = () => undefined) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = toProblem(error, request);
    if (problem.status === 500) this.logger.error({ reqId: request.id, err: error });
    if (reply.sent || reply.raw.headersSent) return;
    this.note(problem, request);
    sendProblem(reply, problem);
  }
}

export function sendProblem(reply: FastifyReply, problem: Problem): void {
  void reply
    .status(problem.status)
    .headers(problem.headers)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(problem.body());
}

export function toProblem(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof DomainError) return fromDomainError(error);
  if (error instanceof BacklogFullError) return Problem.unavailable('backlog_full', error.message, 5);
  if (error instanceof QueueUnavailableError) return Problem.unavailable('queue_unavailable', error.message);
  if (error instanceof DatabaseUnavailableError)
    return Problem.unavailable('database_unavailable', error.message);
  const { code, statusCode } = error as { code?: string; statusCode?: number };
  if (code === 'FST_ERR_BAD_URL')
    return new Problem(400, 'malformed_url', `The path ${pathOf(request)} is not validly percent-encoded.`);
  // Maybe when all of the request had come. The connection tells: a request that waits behind others is not told itself.
  if (code !== undefined && GONE.has(code) && (request.raw.socket.destroyed || !request.raw.complete))
    return new Problem(400, 'cut_off', 'The request ended in the middle of its body.');
  // Nest wraps the errors of Fastify and keeps only their status.
  const status = error instanceof HttpException ? error.getStatus() : (statusCode ?? 500);
  if (status === 413) return bodyTooLarge();
  if (status === 414) return new Problem(414, 'path_too_long', 'A part of the path is too long.');
  if (status === 415) return unsupportedMediaType(request.headers['content-type']);
  if (status === 404) return routeNotFound(request);
  if (status >= 400 && status < 500) return new Problem(status, 'bad_request', (error as Error).message);
  return new Problem(500, 'internal_error', 'The Eye failed to answer; the reason is in its log.');
}

function fromDomainError(error: DomainError): Problem {
  const { kind, code, message, errors, details, retryAfterSeconds } = error;
  return new Problem(
    PROBLEM_TABLE[kind].status,
    code,
    message,
    { ...(errors && { errors }), ...details },
    {
      ...PROBLEM_TABLE[kind].responseHeaders,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    },
  );
}

export function routeNotFound(request: FastifyRequest): Problem {
  return new Problem(404, 'not_found', `Nothing answers ${request.method} ${pathOf(request)}.`);
}

export function bodyTooLarge(): Problem {
  const limit = environment.BODY_LIMIT.toLocaleString('en');
  return new Problem(
    413,
    'body_too_large',
    `The body of a request must not exceed ${limit} bytes; send it in parts.`,
  );
}

export function unsupportedMediaType(type: string | undefined): Problem {
  return new Problem(
    415,
    'unsupported_media_type',
    `Send application/json or application/x-ndjson, in UTF-8 and not compressed${type ? `, not ${type}` : ''}.`,
  );
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? request.url;
}
