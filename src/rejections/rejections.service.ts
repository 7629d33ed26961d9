import { Injectable } from '@nestjs/common';
import { type Page, readPage } from '../platform/paging/page.js';
import { parseBound } from '../platform/time/timestamp.js';
import type { ListRejectionsDto, RejectionFilterDto } from './dto/list-rejections.dto.js';
import type { RejectionResponse } from './dto/responses.dto.js';
import type { Interval, SummaryDto, SummaryResponse } from './dto/summary.dto.js';
import { eventOf, type RejectionRow } from './rejection-row.js';
import { type RejectionFilter, RejectionsRepository } from './rejections.repository.js';

const MINUTE = 60_000;

/** Milliseconds in a bucket, and the buckets that are shown unless a range is given. */
const BUCKETS: Record<Interval, { length: number; shown: number }> = {
  minute: { length: MINUTE, shown: 60 },
  hour: { length: 60 * MINUTE, shown: 24 },
  day: { length: 24 * 60 * MINUTE, shown: 30 },
};

/** Buckets and counts that a summary may have. */
export const MOST_BUCKETS = 1000;
const MOST_COUNTS = 10_000;

/** A summary that cannot be given as it was asked for; `parameter` is what to change. */
export class SummaryError extends Error {
  constructor(
    readonly parameter: keyof SummaryDto,
    message: string,
  ) {
    super(message);
  }
}

/** Shows what was refused. */
@Injectable()
export class RejectionsService {
  constructor(private readonly repository: RejectionsRepository) {}

  /** @throws CursorError, PageTooDeepError, DatabaseUnavailableError */
  async list(dto: ListRejectionsDto): Promise<Page<RejectionResponse>> {
    const filter = toFilter(dto);
    const page = await readPage(
      {
        newestFirst: dto.ordering !== 'rejected_at',
        query: queryOf(dto),
        cursorKey: ({ rejected_at, id }: RejectionRow) => ({ timestamp: rejected_at, id }),
        find: (slice) => this.repository.find(filter, slice),
        count: () => this.repository.count(filter),
      },
      dto,
    );
    return { ...page, results: page.results.map(toResponse) };
  }

  /** @throws DatabaseUnavailableError */
  async find(id: string): Promise<RejectionResponse | undefined> {
    const row = await this.repository.findById(id);
    return row && toResponse(row);
  }

  /** @throws SummaryError, DatabaseUnavailableError */
  async summary({ interval = 'hour', from, to, application, code }: SummaryDto): Promise<SummaryResponse> {
    const { length, shown } = BUCKETS[interval];
    const bucketOf = (time: number): number => Math.floor(time / length);
    const last = bucketOf(to === undefined ? Date.now() : parseBound(to, 'before').milliseconds);
    const first = from === undefined ? last - shown + 1 : bucketOf(parseBound(from, 'after').milliseconds);
    if (first > last) throw new SummaryError('from', 'Must not lie after `to`.');
    if (last - first >= MOST_BUCKETS)
      throw new SummaryError(
        'from',
        `Must not lie more than ${MOST_BUCKETS.toLocaleString('en')} buckets before \`to\`; take a longer interval.`,
      );
    const range = { from: new Date(first * length), to: new Date((last + 1) * length) };
    const results = await this.repository.counts({ interval, ...range, application, code }, MOST_COUNTS + 1);
    if (results.length > MOST_COUNTS)
      throw new SummaryError(
        'from',
        `There are more than ${MOST_COUNTS.toLocaleString('en')} counts in this range; ask for a shorter one, ` +
          'or for one `code` or `application`.',
      );
    return {
      interval,
      from: spell(range.from),
      to: spell(range.to),
      total: results.reduce((sum, { count }) => sum + count, 0),
      results,
    };
  }
}

/** The query that a cursor belongs to, in one fixed spelling. */
export function queryOf({ ordering = '-rejected_at', ...dto }: ListRejectionsDto): string {
  return JSON.stringify([ordering, toFilter(dto)]);
}

export function toFilter(dto: RejectionFilterDto): RejectionFilter {
  const { code, application, outcome, session_id, category, name, rejected_after, rejected_before } = dto;
  return {
    code,
    application,
    outcome,
    session_id,
    category,
    name,
    rejected_after: rejected_after && parseBound(rejected_after, 'after').text,
    rejected_before: rejected_before && parseBound(rejected_before, 'before').text,
  };
}

function toResponse(row: RejectionRow): RejectionResponse {
  const { id, event_id, application, outcome, code, errors, whole, session_id, category, name, rejected_at } =
    row;
  return {
    id,
    event_id,
    application,
    outcome,
    code,
    errors,
    event: eventOf(row),
    whole,
    session_id,
    category,
    name,
    rejected_at,
  };
}

function spell(time: Date): string {
  return time.toISOString().replace('.000Z', '.000000Z');
}
