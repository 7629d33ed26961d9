import type { FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { IncomingMessage } from 'node:http';
import type { DomainError } from '../errors/domain-error.js';
import { evaluateHost, refusesUnknownHosts } from './hosts.js';
import { malformedRequest, wrongHost } from './http-errors.js';

/** Stands for `*`, the target of an OPTIONS request about the whole server, which the router does not take. */
export const SERVER_PATH = '/*';

/** The authority and the rest of a request target in absolute form. */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]*)([^#]*)/i;

/**
 * Option `rewriteUrl` of Fastify: turns a target in absolute form into a path. Its authority then replaces the `Host`.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function toOriginForm(request: IncomingMessage): string {
  const { url = '/' } = request;
  if (url.startsWith('/')) return url;
  if (url === '*') return SERVER_PATH;
  const [, authority, rest = ''] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority === undefined) return url;
  request.headers.host = authority;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/**
 * Refuses requests for another host before anything else is done. Otherwise a page whose name resolves to this server (DNS
 * rebinding) could read and change everything while no key is required.
 */
export const hostCheck = fp(
  (fastify, _, done) => {
    fastify.addHook('onRequest', (request, _reply, next) => next(hostError(request)));
    done();
  },
  { name: 'the-eye-host-check', dependencies: ['the-eye-client-errors'] },
);

function hostError(request: FastifyRequest): DomainError | undefined {
  const { raw, host } = request;
  if (raw.headers.host === undefined) {
    // Browsers always send it. Node's own response is 400 without a body; `requireHostHeader` turns that off.
    return raw.httpVersion === '1.1' ? malformedRequest('The Host header is missing.') : undefined;
  }
  if (countHosts(raw.rawHeaders) > 1) return malformedRequest('The request has more than one Host header.');
  const verdict = evaluateHost(host);
  if (verdict === 'invalid') return malformedRequest('The Host header is invalid.');
  return verdict === 'unknown' && refusesUnknownHosts ? wrongHost(host) : undefined;
}

/** Node keeps only the first one in `headers`. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (/^host$/i.test(rawHeaders[at] as string)) count++;
  return count;
}
