import { Injectable } from '@nestjs/common';
import { Producer } from '../queue/producer.js';
import type { ListEventsDto } from './dto/list-events.dto.js';
import { DEEPEST_OFFSET, DEFAULT_PAGE_SIZE } from './dto/list-events.dto.js';
import { CursorError, decodeCursor, encodeCursor } from './event/cursor.js';
import type { NewEvent } from './event/new-event.js';
import { parseBound } from './event/timestamp.js';
import { type EventFilter, EventsRepository, type StoredEvent } from './events.repository.js';
import { StoredEvents } from './stored-events.js';

/** What became of events that were accepted: `queued`, or stored, now or before. */
export type Outcome = { status: 'queued' } | { status: 'created' | 'existing'; events: StoredEvent[] };

export interface Page {
  count: number;
  isEstimate: boolean;
  /** Cursors of the pages beside this one, where there are any. */
  next: string | null;
  previous: string | null;
  results: StoredEvent[];
}

/** The page lies deeper than `page` reaches. */
export class PageTooDeepError extends Error {}

/** Accepts events and answers about them. Knows nothing of HTTP. */
@Injectable()
export class EventsService {
  constructor(
    private readonly producer: Producer,
    private readonly repository: EventsRepository,
    private readonly stored: StoredEvents,
  ) {}

  /**
   * Resolves once the events are safe in the queue, or, with `patience`, once they are stored.
   * @param patience milliseconds to wait for that; 0 for not at all
   * @throws QueueUnavailableError, BacklogFullError
   */
  async accept(events: NewEvent[], patience: number): Promise<Outcome> {
    if (patience === 0) {
      await this.producer.add(events);
      return { status: 'queued' };
    }
    const end = Date.now() + patience;
    const ids = events.map(({ id }) => id);
    const before = await this.stored.lookUp(ids, patience);
    const missing = events.filter(({ id }) => !before.has(id));
    if (missing.length === 0) return { status: 'existing', events: inOrder(ids, before) };
    await this.producer.add(missing);
    const found = await this.stored.waitFor(
      missing.map(({ id }) => id),
      end - Date.now(),
    );
    if (found === undefined) return { status: 'queued' };
    return { status: 'created', events: inOrder(ids, new Map([...before, ...found])) };
  }

  /** @throws DatabaseUnavailableError */
  async find(id: string): Promise<StoredEvent | undefined> {
    const [event] = await this.repository.findByIds([id]);
    return event;
  }

  /** @throws CursorError, PageTooDeepError, DatabaseUnavailableError */
  async list(dto: ListEventsDto): Promise<Page> {
    const filter = toFilter(dto);
    const order = dto.ordering ?? '-timestamp';
    const size = dto.page_size ?? DEFAULT_PAGE_SIZE;
    const offset = ((dto.page ?? 1) - 1) * size;
    if (offset > DEEPEST_OFFSET) throw new PageTooDeepError();
    const query = JSON.stringify([order, filter]);
    const cursor = dto.cursor === undefined ? undefined : decodeCursor(dto.cursor, query);
    if (cursor && dto.page !== undefined) throw new CursorError('A cursor and a page exclude each other.');

    // One row more than the page tells whether the list goes on.
    const [rows, { count, isEstimate }] = await Promise.all([
      this.repository.find(filter, { order, limit: size + 1, cursor, offset }),
      this.repository.count(filter),
    ]);
    const goesOn = rows.length > size;
    const results = rows.slice(0, size);
    const backwards = cursor?.direction === 'previous';
    if (backwards) results.reverse();

    const beside = (direction: 'next' | 'previous', event: StoredEvent | undefined): string | null =>
      event ? encodeCursor({ direction, timestamp: event.timestamp, id: event.id }, query) : null;
    const hasNext = backwards || goesOn;
    const hasPrevious = backwards ? goesOn : cursor !== undefined || offset > 0;
    return {
      count,
      isEstimate,
      next: hasNext ? beside('next', results.at(-1)) : null,
      previous: hasPrevious ? beside('previous', results[0]) : null,
      results,
    };
  }
}

function toFilter({
  application,
  session_id,
  category,
  name,
  timestamp_after,
  timestamp_before,
}: ListEventsDto): EventFilter {
  return {
    application,
    session_id,
    category,
    name,
    timestamp_after: timestamp_after && parseBound(timestamp_after, 'after').text,
    timestamp_before: timestamp_before && parseBound(timestamp_before, 'before').text,
  };
}

function inOrder(ids: string[], events: Map<string, StoredEvent>): StoredEvent[] {
  return ids.flatMap((id) => events.get(id) ?? []);
}
