import { Injectable } from '@nestjs/common';
import { type Count, type Page, readPage } from '../platform/paging/page.js';
import { Producer } from '../queue/producer.js';
import { ALWAYS } from '../statistics/cuts.js';
import { EventCountsRepository } from '../statistics/event-counts.repository.js';
import { canonicalRange, nextMicrosecond } from '../platform/time/timestamp.js';
import type { ListEventsDto } from './dto/list-events.dto.js';
import type { NewEvent } from '../platform/model/event.js';
import { type EventFilter, EventsRepository, type StoredEvent } from './events.repository.js';
import { StoredEvents } from './stored-events.js';

/** What became of events that were accepted: `queued`, or stored, now or before. */
export type Outcome = { status: 'queued' } | { status: 'created' | 'existing'; events: StoredEvent[] };

/** Accepts events and answers about them. Knows nothing of HTTP. */
@Injectable()
export class EventsService {
  constructor(
    private readonly producer: Producer,
    private readonly repository: EventsRepository,
    private readonly stored: StoredEvents,
    private readonly counts: EventCountsRepository,
  ) {}

  /**
   * Resolves once the events are safe in the queue, or, with `patience`, once they are stored.
   * @param patience milliseconds to wait for that; 0 for not at all
   * @throws RedisUnavailableError, BacklogFullError
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
  async list(dto: ListEventsDto): Promise<Page<StoredEvent>> {
    const filter = toFilter(dto);
    const order = dto.ordering ?? '-timestamp';
    return readPage(
      {
        newestFirst: order === '-timestamp',
        query: JSON.stringify([order, filter]),
        cursorKey: ({ timestamp, id }) => ({ timestamp, id }),
        find: (slice) => this.repository.find(filter, slice),
        count: () => this.count(filter),
      },
      dto,
    );
  }

  /** Exact wherever counts are kept: of everything but a part of a session. */
  private async count(filter: EventFilter): Promise<Count> {
    const { session_id, ...others } = filter;
    if (session_id !== undefined) {
      const count = await this.repository.count(filter);
      const isWhole = Object.values(others).every((value) => value === undefined);
      if (!count.isEstimate || !isWhole) return count;
      return { count: await this.counts.ofSession(session_id), isEstimate: false };
    }
    const { timestamp_after, timestamp_before, ...counted } = others;
    const from = timestamp_after ?? ALWAYS.from;
    const to = (timestamp_before && nextMicrosecond(timestamp_before)) ?? ALWAYS.to;
    return { count: await this.counts.count(counted, { from, to }), isEstimate: false };
  }
}

/** What a query string asks for, its bounds as canonical timestamps. */
export function toFilter({ application, session_id, category, name, ...range }: EventFilter): EventFilter {
  return { application, session_id, category, name, ...canonicalRange(range) };
}

function inOrder(ids: string[], events: Map<string, StoredEvent>): StoredEvent[] {
  return ids.flatMap((id) => events.get(id) ?? []);
}
