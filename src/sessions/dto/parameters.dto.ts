import {
  Bound,
  CursorParameter,
  Filter,
  type PageQuery,
  PageSize,
} from '../../platform/paging/parameters.js';

/** What can be asked of the events of a session. */
export class ListSessionEventsDto implements PageQuery {
  @PageSize()
  page_size?: number;

  @CursorParameter()
  cursor?: string;
}

/** What can be asked of the list of sessions. */
export class ListSessionsDto extends ListSessionEventsDto {
  @Filter('Sessions with an event of this application.', 'default')
  application?: string;

  @Filter(
    'Sessions with an event of this category; beside `application`, with one that is of both.',
    'page interaction',
  )
  category?: string;

  @Bound(
    'after',
    'Sessions whose last event lies from here on, inclusive: a date-time, or a date, which begins at midnight UTC.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @Bound(
    'before',
    'Sessions whose last event lies up to here, inclusive: a date-time, or a date, which lasts to its last microsecond in UTC.',
    '2021-12-31',
  )
  timestamp_before?: string;
}
