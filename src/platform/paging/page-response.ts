import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { RawJson, stringifyRow, stringifyRows } from '../json/raw-json.js';
import { MAX_EXACT_COUNT } from './keyset-query.js';
import type { Page } from './page.js';
import { pageLink } from './page-link.js';

/** The members of every page of a list, beside its `results`. */
export class PageResponse {
  @ApiProperty({ example: 1, description: 'Exact, unless `count_is_estimate` is true.' })
  count: number;

  @ApiPropertyOptional({
    description: `Present and true if \`count\` is an estimate of more than ${MAX_EXACT_COUNT.toLocaleString('en')}.`,
    example: true,
  })
  count_is_estimate?: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri-reference',
    description: 'URL of the page after this one.',
  })
  next: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    format: 'uri-reference',
    description: 'URL of the page before this one.',
  })
  previous: string | null;
}

/** The media type of a response that is formatted already. */
export const JSON_TYPE = 'application/json; charset=utf-8';

/** Formats a page, with its cursors as links and further members, as JSON (JSON_TYPE). */
export async function toPageResponse<Row extends object>(
  request: FastifyRequest,
  page: Promise<Page<Row>>,
  members: object = {},
): Promise<string> {
  const { count, isEstimate, next, previous, results } = await page;
  return stringifyRow({
    count,
    ...(isEstimate && { count_is_estimate: true }),
    ...members,
    next: pageLink(request, next),
    previous: pageLink(request, previous),
    results: new RawJson(stringifyRows(results)),
  });
}
