import { DEFAULT_APPLICATION } from '../../auth/caller.js';
import { toNewEvent } from '../../platform/model/event.js';
import { CreateEventDto, type ValidEvent } from './create-event.dto.js';

/** The event that the documentation sends, lists and finds, so that its examples work one after the other. */
export const EXAMPLE = {
  session_id: 'e2085be5-9137-4e4e-80b5-f1ffddc25423',
  category: 'page interaction',
  name: 'pageview',
  data: { host: 'www.consumeraffairs.com', path: '/' },
  timestamp: '2021-01-01 09:15:29.243860',
};

/** The example as it comes back. */
export const EXAMPLE_STORED = toNewEvent(DEFAULT_APPLICATION, CreateEventDto.from(EXAMPLE) as ValidEvent);
