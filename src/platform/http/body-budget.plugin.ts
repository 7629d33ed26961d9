import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { environment } from '../config/environment.js';
import { DomainError, UnavailableError } from '../errors/domain-error.js';
import { BodyBudget, type Refusal, type Reservation } from './body-budget.js';

/** The part of BODIES_LIMIT that one caller may use. */
const SHARE = 1 / 4;

/** The part of BODIES_LIMIT that all callers together may use whose key is looked for in their body. */
const STRANGERS_SHARE = 1 / 2;

/** Error of Node for a request that did not arrive in time, for which the client gets 408. */
const TIMEOUT = { code: 'ERR_HTTP_REQUEST_TIMEOUT' };

declare module 'fastify' {
  interface FastifyRequest {
    /** The bytes that are reserved for the body; null without a body. */
    bodyReservation: Reservation | null;
    /**
     * Called with the bytes of the body that are known so far: of a chunked one as it arrives, of a compressed one as it is
     * decoded.
     * @throws DomainError `rate_limited` or `busy` if there is no room for them
     */
    reserveBody(bytes: number): void;
  }
}

interface BodyBudgetPluginOptions {
  /** The key of a request or, without one, its address. */
  readonly callerOf: (request: FastifyRequest) => string;
  /** Whether it is known who sends a request. */
  readonly isAuthenticated: (request: FastifyRequest) => boolean;
}

/**
 * Bounds the memory that bodies need while they arrive, by BODIES_LIMIT. A body whose length is announced gets its room or its
 * refusal before it is read; a chunked one as it arrives, and a compressed one also as it is decoded. The room is given back when the response is ready.
 */
export const bodyBudget = fp<BodyBudgetPluginOptions>(
  (fastify, { callerOf, isAuthenticated }, registered) => {
    const total = Math.max(environment.BODIES_LIMIT, environment.BODY_LIMIT);
    const part = (share: number): number => Math.max(total * share, environment.BODY_LIMIT);
    const budget = new BodyBudget({ total, share: part(SHARE), strangers: part(STRANGERS_SHARE) });
    const bySocket = new WeakMap<Socket, Set<Reservation>>();

    /** A lost connection may end a request without any event of its own. */
    const releaseWithSocket = (socket: Socket, reservation: Reservation): void => {
      let reservations = bySocket.get(socket);
      if (!reservations) {
        bySocket.set(socket, (reservations = new Set()));
        socket.once('close', () => reservations?.forEach((each) => budget.release(each)));
      }
      reservations.add(reservation);
    };
    const release = ({ raw, bodyReservation }: FastifyRequest): void => {
      if (!bodyReservation) return;
      budget.release(bodyReservation);
      bySocket.get(raw.socket)?.delete(bodyReservation);
    };

    fastify.decorateRequest('bodyReservation', null);
    fastify.decorateRequest('reserveBody', function (this: FastifyRequest, bytes: number): void {
      const { bodyReservation } = this;
      if (!bodyReservation || bytes <= bodyReservation.bytes) return;
      const refusal = budget.extend(bodyReservation, bytes - bodyReservation.bytes);
      if (refusal) throw refused(refusal);
    });
    fastify.addHook('onRequest', (request, _reply, next) => {
      const { raw } = request;
      const length = Number(raw.headers['content-length'] ?? 0);
      const isChunked = raw.headers['transfer-encoding'] !== undefined;
      // A longer body gets a 413 and is not stored.
      if ((length === 0 && !isChunked) || length > environment.BODY_LIMIT) return next();
      const reservation = budget.reserve(
        callerOf(request),
        length,
        incomingBody(raw, fastify.server),
        isAuthenticated(request),
      );
      if (typeof reservation === 'string') return next(refused(reservation));
      request.bodyReservation = reservation;
      releaseWithSocket(raw.socket, reservation);
      next();
    });
    fastify.addHook('onSend', (request, _reply, payload, next) => {
      release(request);
      next(null, payload);
    });
    registered();
  },
  { name: 'the-eye-body-budget', dependencies: ['the-eye-auth'] },
);

function incomingBody(request: IncomingMessage, server: NodeJS.EventEmitter) {
  const { socket } = request;
  const { bytesRead } = socket;
  return {
    isComplete: () => request.complete,
    received: () => socket.bytesRead - bytesRead,
    drop: () => void server.emit('clientError', TIMEOUT, socket),
  };
}

function refused(refusal: Refusal): DomainError {
  return refusal === 'share'
    ? new DomainError(
        'rate_limited',
        'rate_limited',
        'Too many bytes of yours are being received at once; send fewer bodies side by side.',
        { retryAfterSeconds: 1 },
      )
    : new UnavailableError('busy', 'Too many large bodies are being received at once; nothing was accepted.');
}
