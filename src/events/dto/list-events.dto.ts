import {
  Bound,
  Choice,
  CursorParameter,
  Filter,
  PageNumber,
  type PageQuery,
  PageSize,
} from '../../platform/paging/parameters.js';

export const ORDERINGS = ['timestamp', '-timestamp'] as const;

/** What can be asked of the list. */
export class ListEventsDto implements PageQuery {
  @Filter('Events of one application, by its name.', 'default')
  application?: string;

  @Filter('Events of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @Filter('Events of one category.', 'page interaction')
  category?: string;

  @Filter('Events of one name.', 'pageview')
  name?: string;

  @Bound(
    'after',
    'From here on, inclusive: a date-time, or a date, which begins at midnight UTC.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @Bound(
    'before',
    'Up to here, inclusive: a date-time, or a date, which lasts to its last microsecond in UTC.',
    '2021-12-31',
  )
  timestamp_before?: string;

  @Choice(ORDERINGS, 'Newest first, or oldest first.', '-timestamp')
  ordering?: (typeof ORDERINGS)[number];

  @PageSize()
  page_size?: number;

  @PageNumber('events')
  page?: number;

  @CursorParameter()
  cursor?: string;
}
