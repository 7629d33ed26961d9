import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { FastifyContextConfig, FastifyRequest } from 'fastify';
import { ApiProblems } from '../platform/http/api-problems.js';
import { forbidden } from './auth-errors.js';
import { type Caller, type Scope, visibleApplication } from './caller.js';

/** Who may use a route: callers with this scope or scope `admin`, or `anybody`, without a key. */
export type Access = Scope | 'anybody';

/**
 * How a route keeps a key to its application:
 * - `parameter`: it has a query parameter `application`, which a bound key finds set to its own application
 * - `handler`: its handler takes the `@VisibleApplication()` or stores under the application of the caller
 *
 * A route without it is for keys for all applications only, so a new route cannot forget the rule.
 */
export type Binding = 'parameter' | 'handler';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    binding?: Binding;
  }
}

/** The members of an OpenAPI operation that hold its Access and its Binding. */
export const ACCESS_EXTENSION = 'x-access';
export const BINDING_EXTENSION = 'x-binding';

/** The ways to present a key, by their names in the OpenAPI document. */
export const SECURITY_SCHEMES = ['bearer', 'x-api-key', 'basic'] as const;

/**
 * Declares who may use a route. A route without it is forbidden to everybody. Also documents the responses to callers
 * without access.
 * @param config what else is configured of the route: a second `@RouteConfig()` would replace this one
 *
 * @example `@Allow('read', 'parameter')` above a handler
 */
export function Allow(access: Access, binding?: Binding, config: FastifyContextConfig = {}): MethodDecorator {
  return applyDecorators(
    RouteConfig({ ...config, access, binding }),
    ApiExtension(ACCESS_EXTENSION, access),
    ...(access === 'anybody'
      ? // With an `Origin`, a key is looked up here too, and wrong keys are limited.
        [ApiProblems(403, 429)]
      : [
          ApiExtension(BINDING_EXTENSION, binding ?? 'none'),
          ...SECURITY_SCHEMES.map((scheme) => ApiSecurity(scheme)),
          ApiProblems(401, 403, 429),
        ]),
  );
}

/** Hands a handler the application that the caller may see and change; undefined if it may see and change all. */
export const VisibleApplication = createParamDecorator((_: unknown, context: ExecutionContext) =>
  visibleApplication(context.switchToHttp().getRequest<FastifyRequest>().caller),
);

/**
 * Keeps a request of a bound key to its application.
 * @throws DomainError `forbidden` if the key lacks the scope, or asks for what belongs to other applications too
 */
export function authorizeRoute(
  { query }: Pick<FastifyRequest, 'query'>,
  access: Access,
  binding: Binding | undefined,
  caller: Caller,
): void {
  if (!hasAccess(caller, access)) throw forbidden();
  const own = visibleApplication(caller);
  if (own === undefined || access === 'anybody') return;
  if (binding === undefined) throw forbidden();
  if (binding === 'handler') return;
  const parameters = query as { application?: unknown };
  if (parameters.application !== undefined && parameters.application !== own) throw forbidden();
  parameters.application = own;
}

function hasAccess({ scope }: Caller, access: Access): boolean {
  if (access === 'anybody' || scope === 'admin' || scope === access) return true;
  return scope === 'read' && access === 'metrics';
}
