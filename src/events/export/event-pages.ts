import { environment } from '../../platform/config/environment.js';
import type { Cursor } from '../../platform/paging/cursor.js';
import type { EventFilter, EventsRepository, StoredEvent } from '../events.repository.js';
import type { ExportedEvent } from './writers/writers.js';

/** Events of the first page, which is soon there. */
const FIRST = 100;

/** Events of any other page: more gain nothing. */
const MOST = 1000;

/** Characters of `data` that a page is to have at the most, going by the page before. */
const CHARACTERS = 1024 * 1024;

/**
 * The matching events in their order, a page at a time; the next one is read while this one is used.
 * @param gone says that nobody waits for them any more: what PostgreSQL is doing for them is stopped
 * @throws DatabaseUnavailableError
 */
export async function* eventPages(
  repository: EventsRepository,
  filter: EventFilter,
  newestFirst: boolean,
  gone: AbortSignal,
): AsyncGenerator<ExportedEvent[]> {
  const read = (limit: number, cursor?: Cursor): Promise<StoredEvent[]> => {
    const slice = { newestFirst, limit, cursor };
    // A filter that hardly anything matches may look at many rows for a page.
    const reading = repository.find(filter, slice, { timeoutMs: environment.REQUEST_TIMEOUT, signal: gone });
    // It is waited for later, or never.
    reading.catch(() => undefined);
    return reading;
  };
  let limit = FIRST;
  let reading = read(limit);
  for (;;) {
    const rows = await reading;
    const events = rows.map((row) => ({ ...row, data: JSON.stringify(row.data) }));
    const last = rows.length === limit ? rows.at(-1) : undefined;
    if (last) {
      limit = nextLimit(events);
      reading = read(limit, { direction: 'next', timestamp: last.timestamp, id: last.id });
    }
    yield events;
    if (!last) return;
  }
}

function nextLimit(events: ExportedEvent[]): number {
  const characters = events.reduce((sum, { data }) => sum + data.length, 0);
  return Math.max(1, Math.min(MOST, Math.floor((CHARACTERS * events.length) / characters)));
}
