import type { EventFilter } from '../../../platform/model/event.js';
import { Filter, TimestampBound } from '../../../platform/paging/parameters.js';

/** Which events a subscriber receives: the filters of the list. */
export class StreamQueryDto implements EventFilter {
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
    'Events with this timestamp or a later one. Excludes events of the past that are sent now.',
    '2021-01-01',
  )
  timestamp_after?: string;

  @TimestampBound('before', 'Events with this timestamp or an earlier one.', '2099-12-31')
  timestamp_before?: string;
}
