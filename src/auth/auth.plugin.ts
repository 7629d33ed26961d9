import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { environment } from '../platform/config/environment.js';
import { type Access, authorizeRoute } from './access.decorator.js';
import { type ApiKeyCache, type CachedKey, callerOf } from './api-key.cache.js';
import { isApiKey, scopeOf } from './api-key.js';
import { forbidden, originNotAllowed, unauthorized } from './auth-errors.js';
import type { AuthenticationFailures } from './authentication-failures.js';
import { ANYBODY, type Caller } from './caller.js';
import { extractApiKey } from './extract-api-key.js';
import { RequestPoints } from './request-points.js';

/** Swagger UI, its assets and its document. They are public, as the source code is. */
const SWAGGER_ROUTE = /^\/docs(?:-json|-yaml|\/.*)?$/;

interface AuthOptions {
  readonly keys: ApiKeyCache;
  readonly failures: AuthenticationFailures;
}

/**
 * Authenticates every request before its body is read: looks up the key, compares its scope with the access of the route,
 * takes the points of the declared body and sets `request.caller`. Every response to a key carries its rate limit.
 */
export const auth = fp<AuthOptions>(
  (fastify, options, registered) => {
    fastify.decorateRequest('caller', null as unknown as Caller);
    fastify.decorateRequest('points', undefined);
    fastify.addHook('onRequest', (request, _reply, next) => {
      request.caller = ANYBODY;
      const { url = '', config } = request.routeOptions;
      if (SWAGGER_ROUTE.test(url)) return next();
      try {
        const pending = authenticate(request, config.access, options);
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
  { name: 'the-eye-auth', dependencies: ['the-eye-methods'] },
);

/**
 * @returns undefined if everything needed was in memory
 * @throws DomainError `unauthorized`, `forbidden`, `origin_not_allowed` or `rate_limited`, synchronously or by rejecting
 */
function authenticate(
  request: FastifyRequest,
  access: Access | undefined,
  { keys, failures }: AuthOptions,
): Promise<void> | undefined {
  if (access === undefined) throw forbidden();
  const { origin } = request.headers;
  // The query goes before the headers, because a browser adds the credentials of an earlier Basic dialog to beacons.
  const keyInQuery = access === 'ingest' ? (request.query as { key?: unknown }).key : undefined;
  const key = keyInQuery ?? extractApiKey(request.headers);
  if (origin === undefined) {
    if (access === 'anybody') return undefined;
    // A key that is presented counts all the same: its events belong to its application.
    if (environment.AUTH === 'off' && key === undefined) return undefined;
  }
  // URLs end up in logs and histories, so only ingest keys, which are public in web pages, are accepted there.
  if (!isApiKey(key) || (keyInQuery !== undefined && scopeOf(key) !== 'ingest')) {
    if (key !== undefined) failures.refuseIfLimited(request.ip);
    failures.record(request.ip, key === undefined ? 'missing' : 'malformed');
    throw origin === undefined ? unauthorized() : originNotAllowed();
  }
  const cached = keys.find(key, request.ip);
  if (cached instanceof Promise)
    return cached.then((found) => authorize(request, access, origin, found, keys));
  return authorize(request, access, origin, cached, keys);
}

/**
 * Sets `request.caller` before it takes the quota, so that a 429 carries the rate limit.
 * @throws DomainError as authenticate()
 */
function authorize(
  request: FastifyRequest,
  access: Access,
  origin: string | undefined,
  cached: CachedKey,
  keys: ApiKeyCache,
): Promise<void> | undefined {
  const caller = callerOf(cached);
  if (origin !== undefined && (caller?.scope !== 'ingest' || !cached.allowedOrigins.has(origin)))
    throw originNotAllowed();
  if (!caller) throw unauthorized();
  authorizeRoute(request, access, request.routeOptions.config.binding, caller);
  request.caller = caller;
  keys.noteUse(caller);
  if (origin !== undefined && access === 'ingest') readTextAsJson(request);
  if (!caller.quota) return undefined;
  request.points = new RequestPoints(caller.quota);
  const declared = Number(request.headers['content-length'] ?? 0);
  // A body that is too large is not read, so it costs nothing.
  return request.points.take({ bytes: declared > request.routeOptions.bodyLimit ? 0 : declared });
}

/**
 * `navigator.sendBeacon()` sends a string as text/plain, which needs no preflight. That is safe for a key that lists the
 * origin of the page.
 */
function readTextAsJson({ headers }: FastifyRequest): void {
  headers['content-type'] = headers['content-type']?.replace(/^text\/plain(?=\s*(;|$))/i, 'application/json');
}
