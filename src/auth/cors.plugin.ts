import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { IncomingHttpHeaders } from 'node:http';
import { sendProblem, toDomainError } from '../platform/http/problem.filter.js';
import type { ApiKeyCache } from './api-key.cache.js';

/** Pages of other origins may only send events. Beacons include credentials, so credentials have to be allowed. */
const OPTIONS: FastifyCorsOptions = {
  credentials: true,
  methods: ['POST'],
  allowedHeaders: ['content-type', 'authorization', 'x-api-key', 'prefer'],
  exposedHeaders: ['location', 'retry-after', 'ratelimit', 'ratelimit-policy'],
  maxAge: 600,
  strictPreflight: false,
};

/**
 * CORS for the origins that active ingest keys list. Nest's `app.enableCors()` would do, but it copies all headers of
 * every response.
 */
export const crossOrigin = fp<{ keys: ApiKeyCache }>(
  async (fastify, { keys }) => {
    fastify.addHook('onRequest', ({ headers }, _, next) => {
      deleteSameOrigin(headers);
      next();
    });
    // Nest sets its error handler after this route exists, so the route would respond with Fastify's own.
    fastify.addHook('onRoute', (route) => {
      if (route.method === 'OPTIONS') route.errorHandler = respondWithProblem;
    });
    await fastify.register(cors, {
      ...OPTIONS,
      origin: (origin: string | undefined, done: (error: Error | null, isAllowed: boolean) => void) => {
        if (origin === undefined) return done(null, false);
        keys.isOriginAllowed(origin).then(
          (isAllowed) => done(null, isAllowed),
          (error: Error) => done(error, false),
        );
      },
    });
  },
  { name: 'the-eye-cors', dependencies: ['the-eye-security-headers'] },
);

function respondWithProblem(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, toDomainError(error, request));
}

/** The Eye's own pages send an `Origin` header too. Without it, their requests are treated as those of any client. */
function deleteSameOrigin(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers;
  if (origin?.slice(origin.indexOf('://') + 3) === host) delete headers.origin;
}
