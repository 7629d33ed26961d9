import type { FastifyReply, FastifyRequest } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import helmet from 'helmet';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Directives = Record<string, string[]>;

/** Nothing from other hosts, nothing inline, in nobody's frame. */
const STRICT: Directives = {
  'default-src': ["'self'"],
  'base-uri': ["'self'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
  'object-src': ["'none'"],
};

/** Swagger UI and Bull Board style their pages inline and show small pictures that they bring along. */
const WITH_STYLES: Directives = {
  ...STRICT,
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
};

const HEADERS = headersOf(STRICT);
const HEADERS_WITH_STYLES = headersOf(WITH_STYLES);
const STYLED = /^\/(?:docs|queues)(?:[/?]|$)/;

/** For answers to what is no request at all. */
export const PROTECTION: Readonly<Record<string, string>> = HEADERS;

/** Gives every answer, of whatever status, its identifier and the headers that protect whoever opens it in a browser. */
export function protectAnswers(app: NestFastifyApplication): void {
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, done) => {
      protect(request, reply);
      done();
    });
}

export function protect(request: FastifyRequest, reply: FastifyReply): void {
  reply.headers(STYLED.test(request.url) ? HEADERS_WITH_STYLES : HEADERS);
  reply.header('x-request-id', request.id);
  // Node overlooks what came with a request that would rather speak another protocol; so it is told to be sent again.
  if (request.headers.upgrade !== undefined) reply.header('connection', 'close');
}

/** What Helmet sets on an answer; it is the same on all, so it is asked once. */
function headersOf(directives: Directives): Record<string, string> {
  const headers: Record<string, string> = {};
  const answer = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  } as unknown as ServerResponse;
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    xFrameOptions: { action: 'deny' },
    // For the proxy that has the certificate to say, and for this host's owner.
    strictTransportSecurity: false,
    // They speak to browsers that nobody has any more, and would cost each answer as much as the others.
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  })({} as IncomingMessage, answer, () => undefined);
  return headers;
}
