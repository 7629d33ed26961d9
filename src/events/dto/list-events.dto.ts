import type { EventFilter } from '../../platform/model/event.js';
import {
  Choice,
  CursorParameter,
  Filter,
  PageNumber,
  type PageQuery,
  PageSize,
  TimestampBound,
} from '../../platform/paging/parameters.js';

export const ORDERINGS = ['timestamp', '-timestamp'] as const;

/** Query parameters of `GET /events`. */
export class ListEventsDto implements EventFilter, PageQuery {
  @Filter('Events of one application, by its name.', 'default')
  application?: string;

  @Filter('Events of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @Filter('Events of one category.', 'page interaction')
  category?: string;

  @Filter('Events of one name.', 'pageview')
  name?: string;

  @TimestampBound(
    'after',
    'Events at this time or later: a date-time, or a date, which means its start in UTC.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @TimestampBound(
    'before',
    'Events at this time or earlier: a date-time, or a date, which means its last microsecond in UTC.',
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
