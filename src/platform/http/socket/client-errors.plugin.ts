import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { DomainError } from '../../errors/domain-error.js';
import {
  expectationFailed,
  headerTooLarge,
  malformedRequest,
  methodNotAllowed,
  requestTimeout,
} from '../http-errors.js';
import { problemHeaders, toProblemDocument } from '../problem-document.js';
import { sendProblem, toDomainError } from '../problem.filter.js';
import { SECURITY_HEADERS, setBaseHeaders } from '../security-headers.plugin.js';
import { drainRequest, LINGER_TIMEOUT_MS } from './drain-request.js';

/** The latest response of each connection: pending, under way or finished. */
const latestResponses = new WeakMap<Socket, ServerResponse>();

/** Connections that sent bytes that cannot be parsed, after which no further request can be read. */
const unreadable = new WeakSet<Socket>();

/** Options of Fastify: problem documents for requests that never reach a route. */
export const requestErrorHandlers = {
  /** Called when a path cannot be decoded, or when one of its segments is too long. No hook has run then. */
  frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    setBaseHeaders(request, reply);
    sendProblem(reply, toDomainError(error, request));
  },

  /** Called when Node cannot parse a request or did not receive it in time. There is only a connection to write to. */
  clientErrorHandler: (error: Error & { code?: string }, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || socket.destroyed || unreadable.has(socket)) return;
    unreadable.add(socket);
    afterPendingResponses(socket, () => {
      socket.end(formatResponse(fromParserError(error.code)));
      setTimeout(() => socket.destroy(error), LINGER_TIMEOUT_MS).unref();
    });
  },
};

/** Problem documents where Node would respond without a body, and responses in the order of their requests. */
export const clientErrors = fp(
  (fastify, _, done) => {
    fastify.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
      latestResponses.set(socket, response);
    });
    // Node's own response is 417 without a body.
    fastify.server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const { status, headers, text } = serialize(expectationFailed(request.headers.expect));
      response.writeHead(status, headers).write(text);
      drainRequest(request, response, () => response.end());
    });
    // Node would close the connection without a response.
    fastify.server.on('connect', ({ method = '' }: IncomingMessage, socket: Socket) => {
      socket.end(formatResponse(methodNotAllowed(method, [])));
    });
    fastify.addHook('onRequest', ({ raw }, _reply, next) => next(codingError(raw)));
    done();
  },
  { name: 'the-eye-client-errors', dependencies: ['the-eye-security-headers'] },
);

/** Node takes other codings before `chunked`, and leaves the body encoded. HTTP/1.0 has none (RFC 9112, section 6.1). */
function codingError({ headers, httpVersion }: IncomingMessage): DomainError | undefined {
  const coding = headers['transfer-encoding'];
  if (coding === undefined || (coding.toLowerCase() === 'chunked' && httpVersion === '1.1')) return undefined;
  return malformedRequest('The only Transfer-Encoding is `chunked`, and only in HTTP/1.1.');
}

/** Calls back when the responses to all complete requests of a connection are sent. An incomplete request gets none. */
function afterPendingResponses(socket: Socket, done: () => void): void {
  const response = latestResponses.get(socket);
  if (!response || response.writableFinished) done();
  else if (response.req.complete || response.headersSent) response.once('close', done);
  else if (response.socket) done();
  // Node assigns the socket when the earlier responses are sent.
  else response.once('socket', done);
}

function fromParserError(code: string | undefined): DomainError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return requestTimeout();
  if (code === 'HPE_HEADER_OVERFLOW') return headerTooLarge();
  return malformedRequest('This is not a complete and valid HTTP request.');
}

function formatResponse(error: DomainError): string {
  const { status, title, headers, text } = serialize(error);
  const lines = Object.entries({ ...headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  return [`HTTP/1.1 ${status} ${title}`, ...lines, '', text].join('\r\n');
}

function serialize(error: DomainError) {
  const document = toProblemDocument(error);
  const text = JSON.stringify(document);
  const headers = {
    ...SECURITY_HEADERS,
    ...problemHeaders(error),
    'content-length': String(Buffer.byteLength(text)),
  };
  return { status: document.status, title: document.title, headers, text };
}
