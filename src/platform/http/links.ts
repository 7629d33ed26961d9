import type { FastifyRequest } from 'fastify';
import { environment } from '../config/environment.js';
import { evaluateHost } from './hosts.js';
import { isTrustedProxy } from './trusted-proxies.js';

const publicUrl = environment.PUBLIC_URL === undefined ? undefined : new URL(environment.PUBLIC_URL);

/** The path of `PUBLIC_URL` without the slash at its end, e.g. `/eye`. A proxy removes it from the paths of requests. */
export const BASE_PATH = publicUrl?.pathname.replace(/\/+$/, '') ?? '';

/** The address at which others reach this process, without a slash at its end; undefined if it is not configured. */
export const PUBLIC_ADDRESS = publicUrl && `${publicUrl.origin}${BASE_PATH}`;

/** What a proxy adds to the requests that it forwards. */
const FORWARDING_HEADERS = ['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded', 'via'];

/**
 * A link to a path of this API. It is absolute below `PUBLIC_URL`, or below the address that the client used, if that
 * address is certain. Otherwise it is only the path: a client that follows it never sends its key to another host or
 * without TLS.
 * @param target path and query
 */
export function linkTo(request: FastifyRequest, target: string): string {
  return `${PUBLIC_ADDRESS ?? requestAddress(request) ?? ''}${target}`;
}

/**
 * The value of a `Location` header: a path, which the client resolves against the address of its request (RFC 9110).
 * @param path of this API
 */
export const locationOf = (path: string): string => `${BASE_PATH}${path}`;

/** The scheme and the host that the client used, if both are certain. */
function requestAddress(request: FastifyRequest): string | undefined {
  return evaluateHost(request.host) === 'known' && isSchemeKnown(request)
    ? originOf(request.protocol, request.host)
    : undefined;
}

/** Behind a proxy, only a trusted one says the scheme reliably. Proxies that add no header often speak HTTP/1.0. */
function isSchemeKnown({ raw, headers }: FastifyRequest): boolean {
  if (isTrustedProxy(raw.socket.remoteAddress) && headers['x-forwarded-proto'] !== undefined) return true;
  return raw.httpVersion !== '1.0' && !FORWARDING_HEADERS.some((name) => headers[name] !== undefined);
}

function originOf(scheme: string, host: string): string | undefined {
  const url = `${scheme}://${host}`;
  return /^https?$/.test(scheme) && URL.canParse(url) ? new URL(url).origin : undefined;
}

/**
 * Whether an origin (RFC 6454) is the one of the pages of this server. For the host of `PUBLIC_URL` its scheme counts, since
 * a proxy that ends TLS asks this process without TLS.
 */
export function isOwnOrigin(request: FastifyRequest, origin: string): boolean {
  if (publicUrl) {
    const isPublicHost = originOf(publicUrl.protocol.slice(0, -1), request.host) === publicUrl.origin;
    if (isPublicHost || origin === publicUrl.origin) return origin === publicUrl.origin;
  }
  return origin === originOf(request.protocol, request.host);
}
