import { Injectable } from '@nestjs/common';
import { InvalidParametersError, NotFoundError } from '../platform/errors/domain-error.js';
import { RawJson } from '../platform/json/raw-json.js';
import { isTimeOrderedId } from '../platform/model/time-ordered-id.js';
import { type Page, readPage } from '../platform/paging/page.js';
import { timestampAt, TimestampError } from '../platform/time/timestamp.js';
import type { ListRejectionsDto, RejectionFilterDto } from './dto/list-rejections.dto.js';
import type { RejectionResponse } from './dto/responses.dto.js';
import type { SummaryDto, SummaryInterval, SummaryResponse } from './dto/summary.dto.js';
import { eventJsonOf, type RejectionRow } from './rejection-row.js';
import { type RejectionFilter, RejectionsRepository } from './rejections.repository.js';

/** A rejection whose event stays the JSON text that PostgreSQL returns. */
export type FoundRejection = Omit<RejectionResponse, 'event'> & { event: RawJson };

const MINUTE_MS = 60_000;

/** The length of a bucket, and how many a summary has by default. */
const BUCKETS: Record<SummaryInterval, { lengthMs: number; byDefault: number }> = {
  minute: { lengthMs: MINUTE_MS, byDefault: 60 },
  hour: { lengthMs: 60 * MINUTE_MS, byDefault: 24 },
  day: { lengthMs: 24 * 60 * MINUTE_MS, byDefault: 30 },
};

export const MAX_SUMMARY_BUCKETS = 1000;
const MAX_SUMMARY_COUNTS = 10_000;

/** Lists and counts refused events. */
@Injectable()
export class RejectionsService {
  constructor(private readonly repository: RejectionsRepository) {}

  /** @throws CursorError, PageTooDeepError, DatabaseUnavailableError */
  async list(dto: ListRejectionsDto): Promise<Page<FoundRejection>> {
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
    return { ...page, results: page.results.map(withEvent) };
  }

  /**
   * @param visible the only application whose events the caller sees; undefined if it sees all
   * @throws NotFoundError, DatabaseUnavailableError
   */
  async find(id: string, visible: string | undefined): Promise<FoundRejection> {
    const row = isTimeOrderedId(id) ? await this.repository.findById(id, visible) : undefined;
    if (!row) throw new NotFoundError('There is no such rejection.');
    return withEvent(row);
  }

  /** @throws InvalidParametersError, DatabaseUnavailableError */
  async summary({ interval = 'hour', from, to, application, code }: SummaryDto): Promise<SummaryResponse> {
    const { lengthMs, byDefault } = BUCKETS[interval];
    const bucketOf = (milliseconds: number): number => Math.floor(milliseconds / lengthMs);
    const last = bucketOf(to?.milliseconds ?? Date.now());
    const first = from === undefined ? last - byDefault + 1 : bucketOf(from.milliseconds);
    if (first > last) throw invalidFrom('Must not lie after `to`.');
    if (last - first >= MAX_SUMMARY_BUCKETS)
      throw invalidFrom(
        `Must not lie more than ${MAX_SUMMARY_BUCKETS.toLocaleString('en')} buckets before \`to\`; choose a longer interval.`,
      );
    const start = first * lengthMs;
    const end = (last + 1) * lengthMs;
    const range = { from: endOfBuckets('from', start), to: endOfBuckets('to', end) };
    const results = await this.repository.counts(
      { interval, from: new Date(start), to: new Date(end), application, code },
      MAX_SUMMARY_COUNTS + 1,
    );
    if (results.length > MAX_SUMMARY_COUNTS)
      throw invalidFrom(
        `The range has more than ${MAX_SUMMARY_COUNTS.toLocaleString('en')} counts; choose a shorter one, or one ` +
          '`code` or `application`.',
      );
    return {
      interval,
      ...range,
      total: results.reduce((sum, { count }) => sum + count, 0),
      results,
    };
  }
}

/** An end of the buckets, which may leave the calendar although `from` and `to` lie in it. */
function endOfBuckets(parameter: 'from' | 'to', milliseconds: number): string {
  try {
    return timestampAt(milliseconds).text;
  } catch (error) {
    if (!(error instanceof TimestampError)) throw error;
    throw new InvalidParametersError({ [parameter]: [`The buckets leave the calendar. ${error.message}`] });
  }
}

const invalidFrom = (message: string): InvalidParametersError =>
  new InvalidParametersError({ from: [message] });

/** The query that a cursor belongs to, in a fixed form. */
export function queryOf({ ordering = '-rejected_at', ...dto }: ListRejectionsDto): string {
  return JSON.stringify([ordering, toFilter(dto)]);
}

export function toFilter(dto: RejectionFilterDto): RejectionFilter {
  const { code, application, outcome, session_id, category, name, rejected_after, rejected_before } = dto;
  return { code, application, outcome, session_id, category, name, rejected_after, rejected_before };
}

function withEvent(row: RejectionRow): FoundRejection {
  const { id, event_id, application, outcome, code, errors, whole, session_id, category, name, dialect } =
    row;
  return {
    id,
    event_id,
    application,
    outcome,
    code,
    errors,
    event: new RawJson(eventJsonOf(row)),
    whole,
    session_id,
    category,
    name,
    dialect,
    rejected_at: row.rejected_at,
  };
}
