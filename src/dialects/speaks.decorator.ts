import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiConsumes, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import type { KeyPlaces } from '../auth/key-places.js';
import type { Dialect } from './dialect.js';

/**
 * Declares a route that takes events in the protocol of a dialect. Its handler passes the request to DialectIngestion.
 * @param keys if this route takes keys in other places than the dialect
 */
export function Speaks(dialect: Dialect, keys: KeyPlaces = dialect.keys): MethodDecorator {
  return applyDecorators(
    ApiTags(`send: ${dialect.name}`),
    ApiConsumes('application/json'),
    Allow('ingest', 'handler'),
    RouteConfig({
      access: 'ingest',
      binding: 'handler',
      takesAnyType: true,
      dialect,
      keys,
      renderError: dialect.renderError,
    }),
  );
}

/** Declares a route that gives the clients of a dialect what they ask for before they send events. */
export function Supports(dialect: Dialect, keys: KeyPlaces): MethodDecorator {
  return applyDecorators(
    ApiTags(`send: ${dialect.name}`),
    Allow('ingest', 'handler'),
    RouteConfig({ access: 'ingest', binding: 'handler', keys, renderError: dialect.renderError }),
  );
}
