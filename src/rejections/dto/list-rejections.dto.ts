import {
  Choice,
  CursorParameter,
  Filter,
  PageNumber,
  type PageQuery,
  PageSize,
  TimestampBound,
} from '../../platform/paging/parameters.js';
import {
  type RejectionOutcome,
  REJECTION_OUTCOMES,
  REJECTION_CODES,
  type RejectionCode,
} from '../../platform/model/rejection.js';

export const ORDERINGS = ['rejected_at', '-rejected_at'] as const;

/** Query parameters that select rejections. */
export class RejectionFilterDto {
  @Choice(REJECTION_CODES, 'Events refused for one reason.')
  code?: RejectionCode;

  @Filter('Events of one application, by its name.', 'default')
  application?: string;

  @Choice(
    REJECTION_OUTCOMES,
    '`refused`: the sender got an error; `observed`: a violation was recorded and the event stored; `set_aside`: accepted, then refused by PostgreSQL.',
  )
  outcome?: RejectionOutcome;

  @Filter('Events of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @Filter('Events of one category.', 'page interaction')
  category?: string;

  @Filter('Events of one name.', 'pageview')
  name?: string;

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

  @CursorParameter()
  cursor?: string;
}

/** Query parameters of `GET /rejections`. */
export class ListRejectionsDto extends RejectionFilterDto implements PageQuery {
  @Choice(ORDERINGS, 'Newest first or oldest first.', '-rejected_at')
  ordering?: (typeof ORDERINGS)[number];

  @PageSize()
  page_size?: number;

  @PageNumber('rejections')
  page?: number;
}
