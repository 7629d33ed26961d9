import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { environment } from '../platform/config/environment.js';
import { routeNotFound } from '../platform/http/http-errors.js';
import { type Access, hasAccess } from './access.decorator.js';
import { type ApiKeyCache, type CachedKey } from './api-key.cache.js';
import { isApiKey, scopeOf } from './api-key.js';
import { forbidden, originNotAllowed, unauthorized } from './auth-errors.js';
import { ANYBODY, type Caller } from './caller.js';
import { extractApiKey } from './extract-api-key.js';

/** Swagger UI, its assets and its document. They are public, as the source code is. */
const SWAGGER_ROUTE = /^\/docs(?:-json|-yaml|\/.*)?$/;

/**
 * Authenticates every request before its body is read: looks up the key, compares its scope with the access of the route,
 * takes one point of the key's quota and sets `request.caller`. Every response to a key carries its rate limit.
 */
export const auth = fp<{ keys: ApiKeyCache }>(
  (fastify, { keys }, registered) => {
    fastify.decorateRequest('caller', null as unknown as Caller);
    fastify.addHook('onRequest', (request, reply, next) => {
      request.caller = ANYBODY;
      const { url = '', config } = request.routeOptions;
      // Without this, the content type would be checked first, and the response be 415.
      if (request.is404) return next(routeNotFound(request));
      // The CORS plugin has responded to the preflights of allowed origins. The route that it adds for the others belongs
      // to Fastify, not to Nest, so its errors would not be problem documents.
      if (request.method === 'OPTIONS') return void reply.callNotFound();
      if (SWAGGER_ROUTE.test(url)) return next();
      try {
        const pending = authenticate(request, config.access, keys);
        // A cached key costs no promise.
        if (!pending) return next();
        pending.then(() => next(), next);
      } catch (error) {
        next(error as Error);
      }
    });
    fastify.addHook('onSend', (request, reply, payload, next) => {
      // The caller is null if the path could not be decoded: no onRequest hook has run then.
      const headers = (request.caller as Caller | null)?.quota?.headers();
      if (headers) reply.headers(headers);
      next(null, payload);
    });
    registered();
  },
  { name: 'the-eye-auth', dependencies: ['the-eye-cors', 'the-eye-client-errors'] },
);

/**
 * @returns undefined if everything needed was in memory
 * @throws DomainError `unauthorized`, `forbidden`, `origin_not_allowed` or `rate_limited`, synchronously or by rejecting
 */
function authenticate(
  request: FastifyRequest,
  access: Access | undefined,
  keys: ApiKeyCache,
): Promise<void> | undefined {
  if (access === undefined) throw forbidden();
  const { origin } = request.headers;
  const isPublic = environment.AUTH === 'off' || access === 'anybody';
  if (isPublic && origin === undefined) return undefined;
  // The query goes before the headers, because a browser adds the credentials of an earlier Basic dialog to beacons.
  const keyInQuery = access === 'ingest' ? (request.query as { key?: unknown }).key : undefined;
  const key = keyInQuery ?? extractApiKey(request.headers);
  // URLs end up in logs and histories, so only ingest keys, which are public in web pages, are accepted there.
  if (!isApiKey(key) || (keyInQuery !== undefined && scopeOf(key) !== 'ingest'))
    throw origin === undefined ? unauthorized() : originNotAllowed();
  const cached = keys.find(key);
  if (cached instanceof Promise) return cached.then((found) => authorize(request, access, origin, found));
  return authorize(request, access, origin, cached);
}

/**
 * Sets `request.caller` before it takes the quota, so that a 429 carries the rate limit.
 * @throws DomainError as authenticate()
 */
function authorize(
  request: FastifyRequest,
  access: Access,
  origin: string | undefined,
  { caller, allowedOrigins }: CachedKey,
): Promise<void> | undefined {
  if (origin !== undefined && (caller?.scope !== 'ingest' || !allowedOrigins.includes(origin)))
    throw originNotAllowed();
  if (!caller) throw unauthorized();
  if (!hasAccess(caller, access)) throw forbidden();
  request.caller = caller;
  if (origin !== undefined && access === 'ingest') readTextAsJson(request);
  return caller.quota?.take(1);
}

/**
 * `navigator.sendBeacon()` sends a string as text/plain, which needs no preflight. That is safe for a key that lists the
 * origin of the page.
 */
function readTextAsJson({ headers }: FastifyRequest): void {
  headers['content-type'] = headers['content-type']?.replace(/^text\/plain(?=\s*(;|$))/i, 'application/json');
}
