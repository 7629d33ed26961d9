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
    description:
      `Present and true if \`count\` is an estimate: of more than ${MAX_EXACT_COUNT.toLocaleString('en')}, or, if there is ` +
      'an `as_of`, because many events lie in the range of time.',
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

/** The members of a page of which ClickHouse may have found the rows. */
export class CopiedPageResponse extends PageResponse {
  @ApiPropertyOptional({
    format: 'date-time',
    example: '2026-01-31T12:00:00.000000Z',
    description: 'Present if ClickHouse answers: every event that was stored until then is found.',
  })
  as_of?: string;
}

/** Formats a page, with its cursors as links, as JSON (JSON_CONTENT_TYPE). */
export async function toPageResponse<Row extends object>(
  request: FastifyRequest,
  page: Promise<Page<Row>>,
): Promise<string> {
  const { count, isEstimate, next, previous, asOf, results } = await page;
  return stringifyRow({
    count,
    ...(isEstimate && { count_is_estimate: true }),
    next: pageLink(request, next),
    previous: pageLink(request, previous),
    as_of: asOf,
    results: new RawJson(stringifyRows(results)),
  });
}
