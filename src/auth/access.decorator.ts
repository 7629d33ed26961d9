import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';
import { ApiProblems } from '../platform/http/api-problems.js';
import type { Caller, Scope } from './caller.js';

/** Who may use a route: callers with this scope or scope `admin`, or `anybody`, without a key. */
export type Access = Scope | 'anybody';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
}

/** The member of an OpenAPI operation that holds its Access. */
export const ACCESS_EXTENSION = 'x-access';

/** The ways to present a key, by their names in the OpenAPI document. */
export const SECURITY_SCHEMES = ['bearer', 'x-api-key', 'basic'] as const;

/**
 * Declares who may use a route. A route without it is forbidden to everybody. Also documents the responses to callers
 * without access.
 *
 * @example `@Allow('read')` above a handler
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

export function hasAccess({ scope }: Caller, access: Access): boolean {
  return access === 'anybody' || scope === 'admin' || scope === access;
}
