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
import { keyInAddress, keyInHeaders, ownKey } from './key-places.js';
import { RequestPoints } from './request-points.js';

/**
 * Swagger UI with its assets and its document, and the script that pages of all origins load. They are public, as the source
 * code is.
 */
const PUBLIC_ROUTE = /^\/(?:docs(?:-json|-yaml|\/.*)?|eye\.js(?:on)?)$/;

interface AuthOptions {
  readonly keys: ApiKeyCache;
  readonly failures: AuthenticationFailures;
}

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Authenticates a request whose key may stand in its body, by the key that was found there. Undefined for one that is
     * authenticated.
     * @throws DomainError as every authentication, synchronously or by rejecting
     */
    authenticate: ((key: unknown) => Promise<void> | undefined) | undefined;
  }
}

/**
 * Authenticates every request before its body is read: looks up the key, compares its scope with the access of the route,
 * takes the points of the declared body and sets `request.caller`. Every response to a key carries its rate limit.
 */
export const auth = fp<AuthOptions>(
  (fastify, options, registered) => {
    // The caller stays null until a request is authenticated, so that nothing can be done in its name before.
    fastify.decorateRequest('caller', null as unknown as Caller);
    fastify.decorateRequest('authenticate', undefined);
    fastify.decorateRequest('points', undefined);
    fastify.addHook('onRequest', (request, _reply, next) => {
      const { url = '', config } = request.routeOptions;
      if (PUBLIC_ROUTE.test(url)) {
        request.caller = ANYBODY;
        return next();
      }
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
      // The caller is null if the path could not be decoded, since no onRequest hook has run then, and if the key is wrong.
      const headers = (request.caller as Caller | null)?.quota?.headers();
      if (headers) reply.headers(headers);
      next(null, payload);
    });
    registered();
  },
  { name: 'the-eye-auth', dependencies: ['the-eye-methods'] },
);

/**
 * Looks for the key in the address and in the headers. If it may stand in the body too, the request is authenticated once
 * that was read.
 * @returns undefined if everything needed was in memory
 * @throws DomainError `unauthorized`, `forbidden`, `origin_not_allowed` or `rate_limited`, synchronously or by rejecting
 */
function authenticate(
  request: FastifyRequest,
  access: Access | undefined,
  options: AuthOptions,
): Promise<void> | undefined {
  if (access === undefined) throw forbidden();
  const places = request.routeOptions.config.keys;
  // The address goes before the headers, because a browser adds the credentials of an earlier Basic dialog to beacons.
  const inAddress = access === 'ingest' ? keyInAddress(request, places) : undefined;
  const inHeaders = keyInHeaders(request, places) ?? extractApiKey(request.headers);
  const isOfHeaders = inAddress === undefined || (places && !ownKey(inAddress) && ownKey(inHeaders));
  const presented = isOfHeaders ? inHeaders : inAddress;
  if (presented === undefined && places?.body) {
    if (request.headers.origin === undefined && environment.AUTH === 'off') request.caller = ANYBODY;
    // An address that presents wrong keys is not refused before: others may have valid ones at the same address.
    request.authenticate = (key) => {
      request.authenticate = undefined;
      return authenticateKey(request, access, key, true, options);
    };
    return undefined;
  }
  return authenticateKey(request, access, presented, !isOfHeaders, options);
}

/**
 * @param presented undefined without a key
 * @param isPublic whether the key stands where others can read it
 */
function authenticateKey(
  request: FastifyRequest,
  access: Access,
  presented: unknown,
  isPublic: boolean,
  { keys, failures }: AuthOptions,
): Promise<void> | undefined {
  const { origin } = request.headers;
  const places = request.routeOptions.config.keys;
  const needsKey = environment.AUTH !== 'off' || places?.isRequired;
  // Clients of other protocols always present some key. One of another system is none while no key is needed.
  const key = places ? (ownKey(presented) ?? (needsKey ? presented : undefined)) : presented;
  if (origin === undefined) {
    // A key that is presented counts all the same: its events belong to its application.
    if (access === 'anybody' || (!needsKey && key === undefined)) {
      request.caller = ANYBODY;
      return undefined;
    }
  }
  // URLs end up in logs and histories, so only ingest keys, which are public in web pages, are accepted there.
  if (!isApiKey(key) || (isPublic && scopeOf(key) !== 'ingest')) {
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
function readTextAsJson({ headers, routeOptions }: FastifyRequest): void {
  // Other protocols decide themselves what a content type means.
  if (routeOptions.config.takesAnyType) return;
  headers['content-type'] = headers['content-type']?.replace(/^text\/plain(?=\s*(;|$))/i, 'application/json');
}
