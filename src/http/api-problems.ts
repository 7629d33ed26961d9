import { applyDecorators } from '@nestjs/common';
import {
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
  ApiExtraModels,
} from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import { bodyTooLarge } from './problem.filter.js';

/** Problem details (RFC 9457), as Swagger shows them. */
export class ProblemResponse {
  @ApiProperty({ example: 'about:blank' })
  type: string;

  @ApiProperty({ example: 'Bad Request' })
  title: string;

  @ApiProperty({ example: 400 })
  status: number;

  @ApiProperty({ example: 'invalid', description: 'Stable, for programs.' })
  code: string;

  @ApiProperty({ example: 'Some fields are not as they must be.', description: 'For people.' })
  detail: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    description: 'Messages by field.',
  })
  errors?: Record<string, string[]>;
}

interface ProblemExample {
  code: string;
  detail: string;
  [extension: string]: unknown;
}

const EXAMPLES: Record<number, ProblemExample> = {
  400: {
    code: 'invalid',
    detail: 'Some fields are not as they must be.',
    errors: { session_id: ['This field is required.'] },
  },
  404: { code: 'not_found', detail: 'There is no event with this id.' },
  409: {
    code: 'still_refused',
    detail: 'The event is refused again; the rejection says why.',
    errors: { timestamp: ['Must not lie more than 300 seconds in the future.'] },
  },
  413: bodyTooLarge().body(),
  415: {
    code: 'unsupported_media_type',
    detail: 'Send application/json or application/x-ndjson, in UTF-8 and not compressed, not text/plain.',
  },
  503: { code: 'queue_unavailable', detail: 'Redis is not available right now; nothing was accepted.' },
};

const DESCRIPTIONS: Record<number, string> = {
  503: 'PostgreSQL or Redis is away, or the backlog is full. `Retry-After` says when to try again.',
};

/** Documents the problems that a route can answer with, an example each. */
export function ApiProblems(...statuses: (keyof typeof EXAMPLES)[]): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(ProblemResponse),
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: DESCRIPTIONS[status] ?? STATUS_CODES[status] ?? '',
        ...(status === 503
          ? {
              headers: {
                'Retry-After': { description: 'Seconds.', schema: { type: 'integer', example: 1 } },
              },
            }
          : {}),
        content: {
          'application/problem+json': {
            schema: { $ref: getSchemaPath(ProblemResponse) },
            example: { type: 'about:blank', title: STATUS_CODES[status], status, ...EXAMPLES[status] },
          },
        },
      }),
    ),
  );
}
