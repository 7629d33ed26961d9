import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { ErrorKind } from '../../platform/errors/domain-error.js';
import { PROBLEM_TABLE, type ProblemEntry } from '../../platform/http/problem-table.js';
import { SNOWPLOW } from './snowplow.dialect.js';

/** One kind of error for each status that a tracker may see. */
const KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'too_large',
  'rate_limited',
  'unavailable',
] as const satisfies ErrorKind[];

const SCHEMA = {
  type: 'object',
  properties: { code: { type: 'string' }, message: { type: 'string' } },
  required: ['code', 'message'],
};

/** Documents the errors of the routes for trackers. */
export function ApiSnowplowErrors(): MethodDecorator {
  return applyDecorators(
    ...KINDS.map((kind) => {
      const { description, documentedHeaders, example }: ProblemEntry = PROBLEM_TABLE[kind];
      const { status, body } = SNOWPLOW.renderError(example, {} as FastifyRequest);
      return ApiResponse({
        status,
        description,
        ...(documentedHeaders && { headers: { ...documentedHeaders } }),
        content: { 'application/json': { schema: SCHEMA, example: body } },
      });
    }),
  );
}
