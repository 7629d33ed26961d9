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
  401: { code: 'unauthorized', detail: 'Present a valid key: `Authorization: Bearer <key>`.' },
  403: { code: 'forbidden', detail: 'This key may not do that.' },
  404: { code: 'not_found', detail: 'There is no event with this id.' },
  409: { code: 'conflict', detail: 'It is there already, or others changed it at the same moment.' },
  413: bodyTooLarge().body(),
  415: {
    code: 'unsupported_media_type',
    detail: 'Send application/json or application/x-ndjson, in UTF-8 and not compressed, not text/plain.',
  },
  429: {
    code: 'rate_limited',
    detail: 'This key may send 600,000 events a minute, and has not that many left.',
  },
  503: { code: 'queue_unavailable', detail: 'Redis is not available right now; nothing was accepted.' },
};

const DESCRIPTIONS: Record<number, string> = {
  401: 'No key, or none that is good. Only where authentication is required (`AUTH=required`).',
  403: 'The key lacks the scope, or a page of another origin sent this with a key that does not name the origin.',
  429: 'The key has sent what it may in this minute. `Retry-After` says when to try again.',
  503: 'PostgreSQL or Redis is away, the backlog is full, or too much came at once. `Retry-After` says when to try again.',
};

const retryAfter = {
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer' as const, example: 1 } },
};
const text = (description: string, example: string) => ({
  description,
  schema: { type: 'string' as const, example },
});

const HEADERS: Record<number, Record<string, object>> = {
  401: { 'WWW-Authenticate': text('The ways to present a key.', 'Bearer realm="The Eye"') },
  429: {
    ...retryAfter,
    'RateLimit-Policy': text('Events in so many seconds.', '"events";q=600000;w=60'),
    RateLimit: text(
      'What is left for so many seconds. Stands on every answer to a key.',
      '"events";r=0;t=12',
    ),
  },
  503: retryAfter,
};

/** Documents the problems that a route can answer with, an example each. */
export function ApiProblems(...statuses: (keyof typeof EXAMPLES)[]): MethodDecorator {
  return applyDecorators(
    ApiExtraModels(ProblemResponse),
    ...statuses.map((status) =>
      ApiResponse({
        status,
        description: DESCRIPTIONS[status] ?? STATUS_CODES[status] ?? '',
        ...(HEADERS[status] && { headers: HEADERS[status] }),
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
