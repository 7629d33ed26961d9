import { type ExecutionContext, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problem } from './problem.js';

/** Names query parameters that a route does not know, instead of ignoring them. */
export function AllowedParameters(...known: string[]): MethodDecorator {
  return UseGuards({
    canActivate: (context: ExecutionContext): boolean => {
      const { query } = context.switchToHttp().getRequest<FastifyRequest>();
      const unknown = Object.keys(query as object).filter((name) => !known.includes(name));
      if (unknown.length === 0) return true;
      throw Problem.invalid(
        Object.fromEntries(unknown.map((name) => [name, ['Unknown parameter.']])),
        'Some parameters are not as they must be.',
      );
    },
  });
}
