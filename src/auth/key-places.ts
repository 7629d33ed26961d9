import type { FastifyRequest } from 'fastify';
import { KEY_START } from './api-key.js';

/** Where the clients of a route put their key, besides the headers and the `key` of the query that every route takes. */
export interface KeyPlaces {
  /** Names of query parameters. */
  readonly query?: readonly string[];
  /** Names of headers, in lower case. */
  readonly headers?: readonly string[];
  /** Name of a parameter of the path. */
  readonly path?: string;
  /** True if the key may stand in the body. A request without a key elsewhere is then authenticated after its body was read. */
  readonly body?: boolean;
  /** True if the route needs a key even while authentication is off: any page can cause a GET, which has no `Origin`. */
  readonly isRequired?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Undefined for a route that takes keys in the usual places only. */
    keys?: KeyPlaces;
  }
}

/** @returns the key in the address of a request; undefined without one */
export function keyInAddress({ query, params }: FastifyRequest, places: KeyPlaces | undefined): unknown {
  const parameters = query as Record<string, unknown>;
  if (parameters.key !== undefined) return parameters.key;
  for (const name of places?.query ?? []) if (parameters[name] !== undefined) return parameters[name];
  return places?.path === undefined ? undefined : (params as Record<string, unknown>)[places.path];
}

/** @returns the key in a header of its protocol; undefined without one */
export function keyInHeaders({ headers }: FastifyRequest, places: KeyPlaces | undefined): unknown {
  return places?.headers?.map((name) => headers[name]).find((value) => value !== undefined);
}

/**
 * A key as clients of other protocols present it, `<key>` or `<key>:<secret>`, whose secret The Eye does not use.
 * @returns undefined for a key of another system, which means nothing here. A key of The Eye that is mistyped is none of those
 */
export function ownKey(presented: unknown): string | undefined {
  const [key] = typeof presented === 'string' ? presented.split(':', 1) : [];
  return key?.startsWith(KEY_START) ? key : undefined;
}
