import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Problem } from '../http/problem.js';
import { CursorError } from './cursor.js';
import { MAX_EXACT_COUNT } from './keyset-query.js';
import { type Page, PageTooDeepError } from './page.js';
import { pageLink } from './page-link.js';
import { MAX_OFFSET } from './parameters.js';

/** What every page of a list has beside its results. */
export class PageResponse {
  @ApiProperty({ example: 1, description: 'Exact, unless `count_is_estimate` says otherwise.' })
  count: number;

  @ApiPropertyOptional({
    description: `Present and true where \`count\` is an estimate, of more than ${MAX_EXACT_COUNT.toLocaleString('en')}.`,
    example: true,
  })
  count_is_estimate?: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri',
    description: 'The page after this one, by cursor.',
  })
  next: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri',
    description: 'The page before this one, by cursor.',
  })
  previous: string | null;
}

/**
 * Answers a request with a page, its cursors as links.
 * @param rows what the list is of, e.g. `events`
 * @throws Problem 400 where the page cannot be read as it was asked for
 */
export async function toPageResponse<Row>(
  request: FastifyRequest,
  rows: string,
  reading: Promise<Page<Row>>,
): Promise<PageResponse & { results: Row[] }> {
  try {
    const { count, isEstimate, next, previous, results } = await reading;
    return {
      count,
      ...(isEstimate && { count_is_estimate: true }),
      next: pageLink(request, next),
      previous: pageLink(request, previous),
      results,
    };
  } catch (error) {
    throw toPagingProblem(error, rows);
  }
}

/** What was wrong with the place that was asked for, as a problem; any other error as it is. */
export function toPagingProblem(error: unknown, rows: string): unknown {
  if (error instanceof CursorError) return Problem.invalid({ cursor: [error.message] });
  if (!(error instanceof PageTooDeepError)) return error;
  const limit = MAX_OFFSET.toLocaleString('en');
  return Problem.invalid({ page: [`Reaches ${limit} ${rows} deep; follow \`next\` to go deeper.`] });
}
