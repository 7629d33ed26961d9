import type { EventFilter } from '../model/event.js';
import { CursorParameter, FilterParameter, type PageQuery, PageSize } from './parameters.js';

/** The filters that the events, their stream and their rejections have in common. */
export class EventFilterDto implements EventFilter {
  @FilterParameter('Events of one application, by its name.', 'default')
  application?: string;

  @FilterParameter('Events of one session.', 'e2085be5-9137-4e4e-80b5-f1ffddc25423')
  session_id?: string;

  @FilterParameter('Events of one category.', 'page interaction')
  category?: string;

  @FilterParameter('Events of one name.', 'pageview')
  name?: string;
}

/** The parameters of a list whose pages are read by cursor. */
export class CursorPageDto implements PageQuery {
  @PageSize()
  page_size?: number;

  @CursorParameter()
  cursor?: string;
}
