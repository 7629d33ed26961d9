import { applyDecorators } from '@nestjs/common';
import { ApiConsumes, ApiExtension, ApiTags } from '@nestjs/swagger';
import type { FastifyContextConfig } from 'fastify';
import { Allow } from '../auth/access.decorator.js';
import type { KeyPlaces } from '../auth/key-places.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import type { Dialect } from './dialect.js';

/** The member of an OpenAPI operation that holds the name of its dialect. */
export const DIALECT_EXTENSION = 'x-dialect';

/**
 * Declares a route that takes events in the protocol of a dialect. Its handler passes the request to DialectIngestion.
 * @param keys if this route takes keys in other places than the dialect
 */
export function Speaks(dialect: Dialect, keys: KeyPlaces = dialect.keys): MethodDecorator {
  const { mayHoldGzip = false } = dialect;
  return applyDecorators(
    Supports(dialect, keys, { takesAnyType: true, mayHoldGzip, dialect }),
    ApiConsumes('application/json'),
    ApiProblems(400, 413, 415),
  );
}

/**
 * Declares a route that gives the clients of a dialect what they ask for before they send events.
 * @param keys where it takes keys
 * @param config what else is configured of the route
 */
export function Supports(
  { name, renderError }: Dialect,
  keys: KeyPlaces,
  config: FastifyContextConfig = {},
): MethodDecorator {
  return applyDecorators(
    ApiTags(`send: ${name}`),
    ApiExtension(DIALECT_EXTENSION, name),
    Allow('ingest', 'handler', { ...config, keys, ...(renderError && { renderError }) }),
    ApiProblems(503),
  );
}
