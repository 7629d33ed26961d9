import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { environment } from '../platform/config/environment.js';
import { type Access, mayUse } from './access.decorator.js';
import { ANYBODY, type Caller } from './caller.js';
import { Problem } from '../platform/http/problem.js';
import { routeNotFound } from '../platform/http/problem.filter.js';
import { isApiKey, scopeOf } from './api-key.js';
import { type KnownKey, ApiKeyCache } from './api-key.cache.js';
import { extractApiKey } from './extract-api-key.js';

/** Swagger UI with what it loads, and its document: they say nothing that the source does not. */
const DOCS = /^\/docs(?:-json|-yaml|\/.*)?$/;

/** What pages of other origins may do: send. Beacons include credentials, so that has to be allowed. */
const CORS: FastifyCorsOptions = {
  credentials: true,
  methods: ['POST'],
  allowedHeaders: ['content-type', 'authorization', 'x-api-key', 'prefer'],
  exposedHeaders: ['location', 'retry-after', 'ratelimit', 'ratelimit-policy'],
  maxAge: 600,
  strictPreflight: false,
};

/**
 * Lets callers in, before their body is read: looks up the key, decides by the route's access, counts the request, and
 * leaves `request.caller`. A key that is in memory costs no promise.
 */
export async function registerAuth(app: NestFastifyApplication): Promise<void> {
  const keys = app.get(ApiKeyCache);
  const fastify = app.getHttpAdapter().getInstance();

  fastify.addHook('onRequest', ({ headers }, _, done) => {
    dropOwnOrigin(headers);
    done();
  });
  // By itself, not by app.enableCors(), which copies all headers of every answer.
  await app.register(cors, {
    ...CORS,
    origin: (origin: string | undefined, answer: (error: Error | null, allowed: boolean) => void) => {
      if (origin === undefined) return answer(null, false);
      keys.isOriginAllowed(origin).then(
        (known) => answer(null, known),
        (error: Error) => answer(error, false),
      );
    },
  });

  fastify.decorateRequest('caller', null as unknown as Caller);
  fastify.addHook('onRequest', (request, reply, done) => {
    request.caller = ANYBODY;
    const { url = '', config } = request.routeOptions;
    // Before the body is read, which might be refused for its type where nothing would have taken any.
    if (request.is404) return done(routeNotFound(request));
    // CORS has answered those that it knows. Its route for the others is none of Nest's, which names no errors.
    if (request.method === 'OPTIONS') return void reply.callNotFound();
    if (DOCS.test(url)) return done();
    try {
      const admission = authenticate(request, config.access, keys);
      if (!(admission instanceof Promise)) return done();
      admission.then(() => done(), done);
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    // A path that cannot be decoded is answered without the hook above.
    const headers = (request.caller as Caller | null)?.quota?.headers();
    if (headers) reply.headers(headers);
    done(null, payload);
  });
}

/** @throws Problem 401, 403 or 429, now or later */
function authenticate(
  request: FastifyRequest,
  access: Access | undefined,
  keys: ApiKeyCache,
): Promise<void> | undefined {
  if (access === undefined) throw forbidden();
  const { origin } = request.headers;
  const open = environment.AUTH === 'off' || access === 'anybody';
  if (open && origin === undefined) return undefined;
  // Before the headers: a browser may add to a beacon what its user once typed into a dialog.
  const inQuery = access === 'ingest' ? (request.query as { key?: unknown }).key : undefined;
  const key = inQuery ?? extractApiKey(request.headers);
  // A key in an address ends up in logs and histories: only one that is public by design may stand there.
  if (!isApiKey(key) || (inQuery !== undefined && scopeOf(key) !== 'ingest'))
    throw origin === undefined ? unauthorized() : originNotAllowed();
  const known = keys.find(key);
  if (known instanceof Promise) return known.then((found) => authorize(request, access, origin, found));
  return authorize(request, access, origin, known);
}

/** @throws Problem 401, 403 or 429, now or later */
function authorize(
  request: FastifyRequest,
  access: Access,
  origin: string | undefined,
  { caller, origins }: KnownKey,
): Promise<void> | undefined {
  if (origin !== undefined && (caller?.scope !== 'ingest' || !origins.includes(origin)))
    throw originNotAllowed();
  if (!caller) throw unauthorized();
  if (!mayUse(caller, access)) throw forbidden();
  request.caller = caller;
  if (origin !== undefined && access === 'ingest') readTextAsJson(request);
  return caller.quota?.take(1);
}

/** A page of The Eye itself needs no leave, so its requests count as if they came from no page. */
function dropOwnOrigin(headers: IncomingHttpHeaders): void {
  const { origin, host } = headers;
  if (origin?.slice(origin.indexOf('://') + 3) === host) delete headers.origin;
}

/** `sendBeacon` sends a text as text/plain, and asks nobody first, so the key in the address has to vouch for it. */
function readTextAsJson({ headers }: FastifyRequest): void {
  headers['content-type'] = headers['content-type']?.replace(/^text\/plain(?=\s*(;|$))/i, 'application/json');
}

/** The same whether there is no key, a wrong one or a revoked one. */
function unauthorized(): Problem {
  return new Problem(
    401,
    'unauthorized',
    'Present a valid key: `Authorization: Bearer <key>`.',
    {},
    {
      'www-authenticate': 'Bearer realm="The Eye", Basic realm="The Eye", charset="UTF-8"',
    },
  );
}

function forbidden(): Problem {
  return new Problem(403, 'forbidden', 'This key may not do that.');
}

function originNotAllowed(): Problem {
  return new Problem(
    403,
    'origin_not_allowed',
    'A page of another origin may only send events, with a key of scope `ingest` that names its origin.',
  );
}
