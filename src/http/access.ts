import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { Scope } from './caller.js';

/** Who may use a route: callers with this scope (`admin` may everything), or `anybody`, without a key. */
export type Access = Scope | 'anybody';

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
  }
}

/** Every route says who may use it; one that does not is refused to everybody. Read before the body is. */
export function Allow(access: Access): MethodDecorator {
  return applyDecorators(RouteConfig({ access }));
}
