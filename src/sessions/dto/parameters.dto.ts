import { EXAMPLE_STORED } from '../../events/dto/example.js';
import { Filter, TimestampBound } from '../../platform/paging/parameters.js';
import { CursorPageDto } from '../../platform/paging/query.dto.js';

/** The parameters of the events of a session. */
export class ListSessionEventsDto extends CursorPageDto {}

/** The parameters of the list of sessions. */
export class ListSessionsDto extends CursorPageDto {
  @Filter('The session of this id.', EXAMPLE_STORED.session_id)
  session_id?: string;

  @Filter('Sessions with an event of this application.', 'default')
  application?: string;

  @Filter(
    'Sessions with an event of this category; together with `application`, with an event of both.',
    'page interaction',
  )
  category?: string;

  @TimestampBound(
    'after',
    'Sessions whose last event has this timestamp or a later one: a date-time, or a date for its midnight UTC.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @TimestampBound(
    'before',
    'Sessions whose last event has this timestamp or an earlier one: a date-time, or a date for its last microsecond in UTC.',
    '2021-12-31',
  )
  timestamp_before?: string;
}
