import {
  Bound,
  Choice,
  CursorParameter,
  Filter,
  PageNumber,
  type PageQuery,
  PageSize,
} from '../../platform/paging/parameters.js';
import {
  type Outcome,
  OUTCOMES,
  REJECTION_CODES,
  type RejectionCode,
} from '../../platform/model/rejection.js';

export const ORDERINGS = ['rejected_at', '-rejected_at'] as const;

/** Which rejections are meant. */
export class RejectionFilterDto {
  @Choice(REJECTION_CODES, 'Refused for one reason.')
  code?: RejectionCode;

  @Filter('Sent by one application, by its name.', 'default')
  application?: string;

  @Choice(
    OUTCOMES,
    '`refused` to the sender; `observed`: noted, and stored all the same; `set_aside`: accepted, then refused by PostgreSQL.',
  )
  outcome?: Outcome;

  @Filter('Of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @Filter('Of one category.', 'page interaction')
  category?: string;

  @Filter('Of one name.', 'pageview')
  name?: string;

  @Bound(
    'after',
    'Refused from here on, inclusive: a date-time, or a date (from midnight UTC).',
    '2026-01-01',
  )
  rejected_after?: string;

  @Bound('before', 'Refused up to here, inclusive: a date-time, or a date (to its end in UTC).', '2036-12-31')
  rejected_before?: string;

  @CursorParameter()
  cursor?: string;
}

/** What can be asked of the list. */
export class ListRejectionsDto extends RejectionFilterDto implements PageQuery {
  @Choice(ORDERINGS, 'Newest first, or oldest first.', '-rejected_at')
  ordering?: (typeof ORDERINGS)[number];

  @PageSize()
  page_size?: number;

  @PageNumber('rejections')
  page?: number;
}
