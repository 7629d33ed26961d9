import { DEFAULT_APPLICATION } from '../../auth/caller.js';
import { createEvent, type ParsedEvent } from '../../platform/model/event.js';
import { CreateEventDto } from './create-event.dto.js';

/** The event of the API documentation, which sends, lists and reads it, so that the examples work one after the other. */
export const EXAMPLE = {
  session_id: 'e2085be5-9137-4e4e-80b5-f1ffddc25423',
  category: 'page interaction',
  name: 'pageview',
  data: { host: 'www.consumeraffairs.com', path: '/' },
  timestamp: '2021-01-01 09:15:29.243860',
};

/** The same event as responses return it. */
export const EXAMPLE_STORED = createEvent(DEFAULT_APPLICATION, CreateEventDto.from(EXAMPLE) as ParsedEvent);
