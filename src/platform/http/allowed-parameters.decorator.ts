import { type ExecutionContext, UseGuards } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { unknownParameters } from '../errors/domain-error.js';

/** Rejects query parameters other than these. For routes without a query DTO, whose pipe does the same. */
export function AllowedParameters(...allowed: string[]): MethodDecorator {
  return UseGuards({
    canActivate: (context: ExecutionContext): boolean => {
      const { query } = context.switchToHttp().getRequest<FastifyRequest>();
      const unknown = Object.keys(query as object).filter((name) => !allowed.includes(name));
      if (unknown.length === 0) return true;
      throw unknownParameters(unknown);
    },
  });
}
