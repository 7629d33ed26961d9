import { IntersectionType, PickType } from '@nestjs/swagger';
import { Choice, PageNumber, type PageQuery, TimestampBound } from '../../platform/paging/parameters.js';
import { CursorPageDto, EventFilterDto } from '../../platform/paging/query.dto.js';
import {
  type RejectionOutcome,
  REJECTION_OUTCOMES,
  REJECTION_CODES,
  type RejectionCode,
} from '../../platform/model/rejection.js';

const ORDERINGS = ['rejected_at', '-rejected_at'] as const;

/** Query parameters that select rejections. */
export class RejectionFilterDto extends EventFilterDto {
  @Choice(REJECTION_CODES, 'Events refused for one reason.')
  code?: RejectionCode;

  @Choice(
    REJECTION_OUTCOMES,
    '`refused`: the sender got an error; `observed`: a violation was recorded and the event stored; `set_aside`: accepted, then refused by PostgreSQL.',
  )
  outcome?: RejectionOutcome;

  @TimestampBound(
    'after',
    'Refused at this time or later: a date-time, or a date for its start in UTC.',
    '2026-01-01',
  )
  rejected_after?: string;

  @TimestampBound(
    'before',
    'Refused at this time or earlier: a date-time, or a date for its end in UTC.',
    '2036-12-31',
  )
  rejected_before?: string;
}

/** Query parameters of `POST /rejections/retry`. */
export class RetryManyDto extends IntersectionType(
  RejectionFilterDto,
  PickType(CursorPageDto, ['cursor'] as const),
) {}

/** Query parameters of `GET /rejections`. */
export class ListRejectionsDto
  extends IntersectionType(RejectionFilterDto, CursorPageDto)
  implements PageQuery
{
  @Choice(ORDERINGS, 'Newest first or oldest first.', '-rejected_at')
  ordering?: (typeof ORDERINGS)[number];

  @PageNumber('rejections')
  page?: number;
}
