import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { isOwnOrigin } from '../platform/http/links.js';
import { sendProblem, toDomainError } from '../platform/http/problem.filter.js';
import type { ApiKeyCache } from './api-key.cache.js';
import { parseOrigin } from './origin.js';

/**
 * Pages of other origins may only send events, with whatever headers their SDK adds: a preflight is answered with the headers
 * that it asks for. They also read the settings that some SDKs need. Beacons include credentials, so credentials have to be
 * allowed.
 */
const OPTIONS: FastifyCorsOptions = {
  credentials: true,
  methods: ['GET', 'POST'],
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
    fastify.addHook('onRequest', (request, _, next) => {
      normalizeOrigin(request);
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
  { name: 'the-eye-cors', dependencies: ['the-eye-host-check'] },
);

function respondWithProblem(error: Error, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(reply, toDomainError(error, request));
}

/**
 * Writes the `Origin` as keys list it. The Eye's own pages send one too; without it, their requests are treated as those of
 * any client. An opaque or invalid one stays as it is, which no key lists.
 */
function normalizeOrigin(request: FastifyRequest): void {
  const { headers } = request;
  const origin = headers.origin && parseOrigin(headers.origin);
  if (!origin) return;
  if (isOwnOrigin(request, origin)) delete headers.origin;
  else headers.origin = origin;
}
