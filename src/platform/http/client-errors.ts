import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { protect, PROTECTION } from './response-headers.js';
import { LINGER_TIMEOUT_MS, drainRequest } from './lingering-close.js';
import { Problem } from './problem.js';
import { sendProblem, toProblem } from './problem.filter.js';

/** The latest answer of each connection, whether it is under way, waits for an earlier one, or is done. */
const latest = new WeakMap<Socket, ServerResponse>();

/** Connections of which no further request can be read. */
const broken = new WeakSet<Socket>();

/** Answers to requests that never reach a route, in the same form as all others; options of Fastify. */
export const earlyProblems = {
  /** A path that cannot be decoded, or one whose parts are too long. */
  frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    protect(request, reply);
    sendProblem(reply, toProblem(error, request));
  },

  /** Bytes that are no HTTP, or that did not come in time: there is no request to reply to, only a connection. */
  clientErrorHandler: (error: Error & { code?: string }, socket: Socket): void => {
    // What still comes is no better.
    if (error.code === 'ECONNRESET' || socket.destroyed || broken.has(socket)) return;
    broken.add(socket);
    afterEarlierAnswers(socket, () => {
      socket.end(spell(whyUnreadable(error.code)));
      setTimeout(() => socket.destroy(error), LINGER_TIMEOUT_MS).unref();
    });
  },
};

/** Knows what is being answered on each connection, so that what is said of a connection comes after it. */
export function rememberAnswers(app: NestFastifyApplication): void {
  app.getHttpServer().on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    latest.set(socket, response);
  });
}

/** Each request that came whole has its own answer first; one of which only a part came gets none. */
function afterEarlierAnswers(socket: Socket, speak: () => void): void {
  const answer = latest.get(socket);
  if (!answer || answer.writableFinished) speak();
  else if (answer.req.complete || answer.headersSent) answer.once('close', speak);
  else if (answer.socket) speak();
  // Node hands an answer its connection when its turn comes.
  else answer.once('socket', speak);
}

/** Says that there is no `Host`; left to itself, Node answers 400 without a word. */
export function nameMissingHost(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', ({ raw }, _, done) => {
      const isMissing = raw.headers.host === undefined && raw.httpVersion === '1.1';
      done(isMissing ? malformed('There is no Host header.') : undefined);
    });
}

/** Names what `Expect` asks for in vain; left to itself, Node answers 417 without a word. */
export function nameExpectations(app: NestFastifyApplication): void {
  app.getHttpServer().on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const problem = new Problem(
      417,
      'expectation_failed',
      `Expect: ${request.headers.expect} cannot be met, only 100-continue.`,
    );
    const text = JSON.stringify(problem.body());
    response
      .writeHead(problem.status, {
        ...PROTECTION,
        'content-type': 'application/problem+json; charset=utf-8',
        'content-length': Buffer.byteLength(text),
      })
      .write(text);
    // As all early answers end.
    drainRequest(request.resume(), () => response.end());
  });
}

function whyUnreadable(code: string | undefined): Problem {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem(408, 'request_timeout', 'The request did not arrive in time.');
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Problem(431, 'header_too_large', 'The header section of the request is too large.');
  return malformed('This is not a whole and valid HTTP request.');
}

const malformed = (detail: string): Problem => new Problem(400, 'malformed_request', detail);

function spell(problem: Problem): string {
  const body = problem.body();
  const text = JSON.stringify(body);
  return [
    `HTTP/1.1 ${body.status} ${body.title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Connection: close',
    ...Object.entries(PROTECTION).map(([name, value]) => `${name}: ${value}`),
    '',
    text,
  ].join('\r\n');
}
