import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes, ApiExtension, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import type { KeyPlaces } from '../auth/key-places.js';
import type { Dialect } from './dialect.js';

/** The member of an OpenAPI operation that holds the name of its dialect. */
export const DIALECT_EXTENSION = 'x-dialect';

/**
 * Declares a route that takes events in the protocol of a dialect. Its handler passes the request to DialectIngestion.
 * @param keys if this route takes keys in other places than the dialect
 */
export function Speaks(dialect: Dialect, keys: KeyPlaces = dialect.keys): MethodDecorator {
  return applyDecorators(
    ApiTags(`send: ${dialect.name}`),
    ApiExtension(DIALECT_EXTENSION, dialect.name),
    ApiConsumes('application/json'),
    Allow('ingest', 'handler'),
    ApiProblems(400, 413, 503),
    RouteConfig({
      access: 'ingest',
      binding: 'handler',
      takesAnyType: true,
      ...(dialect.mayHoldGzip && { mayHoldGzip: true }),
      dialect,
      keys,
      ...(dialect.renderError && { renderError: dialect.renderError }),
    }),
  );
}

/** Declares a route that gives the clients of a dialect what they ask for before they send events. */
export function Supports({ name, renderError }: Dialect, keys: KeyPlaces): MethodDecorator {
  return applyDecorators(
    ApiTags(`send: ${name}`),
    ApiExtension(DIALECT_EXTENSION, name),
    Allow('ingest', 'handler'),
    ApiProblems(503),
    RouteConfig({ access: 'ingest', binding: 'handler', keys, ...(renderError && { renderError }) }),
  );
}
