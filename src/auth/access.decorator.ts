import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';
import { ApiProblems } from '../platform/http/api-problems.js';
import type { Caller, Scope } from './caller.js';

/** Who may use a route: callers with this scope (`admin` may everything), or `anybody`, without a key. */
export type Access = Scope | 'anybody';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
}

/** The member of an OpenAPI operation that says who may use it. */
export const ACCESS_EXTENSION = 'x-access';

/** The ways to present a key, as Swagger names them. */
export const SECURITY_SCHEMES = ['bearer', 'x-api-key', 'basic'] as const;

/**
 * Every route says who may use it; one that does not is refused to everybody. Read before the body is.
 * Documents also how callers are refused, so that no route can forget it.
 */
export function Allow(access: Access): MethodDecorator {
  return applyDecorators(
    RouteConfig({ access }),
    ApiExtension(ACCESS_EXTENSION, access),
    ...(access === 'anybody'
      ? [ApiProblems(403)]
      : [...SECURITY_SCHEMES.map((scheme) => ApiSecurity(scheme)), ApiProblems(401, 403, 429)]),
  );
}

/** Whether a caller may use a route. */
export function mayUse({ scope }: Caller, access: Access): boolean {
  return access === 'anybody' || scope === 'admin' || scope === access;
}
