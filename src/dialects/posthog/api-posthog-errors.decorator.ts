import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { ErrorKind } from '../../platform/errors/domain-error.js';
import { PROBLEM_TABLE, type ProblemEntry } from '../../platform/http/problem-table.js';
import { renderError } from './posthog.dialect.js';

/** One kind of error for each status that a client may see. */
const KINDS = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'too_large',
  'unsupported',
  'unavailable',
] as const satisfies ErrorKind[];

const SCHEMA = {
  type: 'object',
  properties: {
    type: { type: 'string' },
    code: { type: 'string' },
    detail: { type: 'string' },
    attr: { type: 'string', nullable: true },
  },
  required: ['type', 'code', 'detail', 'attr'],
};

/** Documents the errors in PostHog's form. */
export function ApiPosthogErrors(): MethodDecorator {
  return applyDecorators(
    ...KINDS.map((kind) => {
      const { description, documentedHeaders, example }: ProblemEntry = PROBLEM_TABLE[kind];
      const { status, body } = renderError(example);
      return ApiResponse({
        status,
        description: kind === 'unavailable' ? `${description} Also beyond the rate limit.` : description,
        ...(documentedHeaders && { headers: { ...documentedHeaders } }),
        content: { 'application/json': { schema: SCHEMA, example: body } },
      });
    }),
  );
}
