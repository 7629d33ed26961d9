import type { FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Directives = Record<string, string[]>;

/** No resources of other hosts, no inline scripts or styles, and no embedding in frames. */
const STRICT: Directives = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'object-src': ["'none'"],
};

/** The pages of Swagger UI and Bull Board have inline styles and data URLs as images. */
const INLINE_STYLES: Directives = {
  ...STRICT,
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
};

/** Responses are private, and the same request may have another response the next time. */
const PRIVATE = 'no-store';

/** Pages and their files are the same for everybody until the next version. */
const PUBLIC = 'no-cache';

/** The headers of every response, computed once: a call of Helmet for each response would cost more than the rest of it. */
export const SECURITY_HEADERS = helmetHeaders(STRICT, PRIVATE);
const PUBLIC_HEADERS = helmetHeaders(STRICT, PUBLIC);
const DOCS_HEADERS = helmetHeaders(INLINE_STYLES, PUBLIC);
const QUEUES_HEADERS = helmetHeaders(INLINE_STYLES, PRIVATE);

const PAGE = /^\/(?:(dashboard|docs(?:-json|-yaml)?|queues)(?:[/?]|$)|\?|$)/;

function headersOf(url: string): Readonly<Record<string, string>> {
  const page = PAGE.exec(url);
  if (page === null) return SECURITY_HEADERS;
  const [, name = 'dashboard'] = page;
  if (name === 'queues') return QUEUES_HEADERS;
  return name === 'docs' ? DOCS_HEADERS : PUBLIC_HEADERS;
}

/** Gives every response security headers, the rule for caches, and its request's identifier. */
export const securityHeaders = fp(
  (fastify, _, done) => {
    fastify.addHook('onRequest', (request, reply, next) => {
      setBaseHeaders(request, reply);
      next();
    });
    done();
  },
  { name: 'the-eye-security-headers' },
);

/** Sets the headers that every response has, of whatever status. */
export function setBaseHeaders(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(headersOf(request.url));
  reply.header('x-request-id', request.id);
  // Node drops the bytes behind a request with an `Upgrade` header, so the client must send them on a new connection.
  if (request.headers.upgrade !== undefined) reply.header('connection', 'close');
}

function helmetHeaders(directives: Directives, cacheControl: string): Record<string, string> {
  const headers: Record<string, string> = { 'cache-control': cacheControl };
  const response = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    xFrameOptions: { action: 'deny' },
    // The proxy that holds the certificate decides this.
    strictTransportSecurity: false,
    // Only obsolete browsers read these, and each costs time in every response.
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })({} as IncomingMessage, response, () => undefined);
  return headers;
}
