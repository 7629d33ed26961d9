import { Filter } from '../../paging/parameters.js';
import type { LiveFilter } from '../live-event.js';

/** Which events a viewer wants to see: those of the list's filters that make sense before time has passed. */
export class WatchEventsDto implements LiveFilter {
  @Filter('Events of one application, by its name.', 'default')
  application?: string;

  @Filter('Events of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @Filter('Events of one category.', 'page interaction')
  category?: string;

  @Filter('Events of one name.', 'pageview')
  name?: string;
}
