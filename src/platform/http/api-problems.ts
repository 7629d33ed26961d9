import { applyDecorators } from '@nestjs/common';
import {
  ApiExtraModels,
  ApiProperty,
  ApiPropertyOptional,
  ApiResponse,
  getSchemaPath,
} from '@nestjs/swagger';
import { toProblemDocument } from './problem-document.js';
import { PROBLEM_TABLE, type ProblemEntry, type ProblemStatus } from './problem-table.js';

/** A problem document (RFC 9457) as Swagger describes it. */
export class ProblemResponse {
  @ApiProperty({ example: 'about:blank' })
  type: string;

  @ApiProperty({ example: 'Bad Request' })
  title: string;

  @ApiProperty({ example: 400 })
  status: number;

  @ApiProperty({ example: 'invalid', description: 'Stable, for programs.' })
  code: string;

  @ApiProperty({ example: 'Some fields are invalid.', description: 'For people.' })
  detail: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    description: 'Messages by field.',
  })
  errors?: Record<string, string[]>;
}

/**
 * Documents the problems that a route responds with, each with an example.
 *
 * @example ApiProblems(400, 404, 503)
 */
export function ApiProblems(...statuses: ProblemStatus[]): MethodDecorator {
  const entries = Object.values<ProblemEntry>(PROBLEM_TABLE);
  return applyDecorators(
    ApiExtraModels(ProblemResponse),
    ...entries
      .filter(({ status }) => (statuses as number[]).includes(status))
      // The first kind of a status describes it.
      .filter(({ status }, index, all) => all.findIndex((other) => other.status === status) === index)
      .map(({ status, description, documentedHeaders, example }) =>
        ApiResponse({
          status,
          description,
          ...(documentedHeaders && { headers: documentedHeaders }),
          content: {
            'application/problem+json': {
              schema: { $ref: getSchemaPath(ProblemResponse) },
              example: toProblemDocument(example),
            },
          },
        }),
      ),
  );
}
