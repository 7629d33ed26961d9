import { Injectable } from '@nestjs/common';
import { NotFoundError } from '../platform/errors/domain-error.js';
import type { EventFilter, NewEvent, StoredEvent } from '../platform/model/event.js';
import { isEventId } from '../platform/model/event-id.js';
import { type Count, type Page, readPage } from '../platform/paging/page.js';
import { nextMicrosecond } from '../platform/time/timestamp.js';
import { Producer } from '../queue/producer.js';
import { ALWAYS } from '../statistics/cuts.js';
import { EventCountsRepository } from '../statistics/event-counts.repository.js';
import type { ListEventsDto } from './dto/list-events.dto.js';
import { EventsRepository } from './events.repository.js';
import { StoredEventsPoller } from './stored-events.poller.js';

/** Whether accepted events are only queued, or stored by this request (`created`), or were stored before (`existing`). */
export type AcceptResult = { status: 'queued' } | { status: 'created' | 'existing'; events: StoredEvent[] };

/** Accepts events and finds them. Knows nothing of HTTP. */
@Injectable()
export class EventsService {
  constructor(
    private readonly producer: Producer,
    private readonly repository: EventsRepository,
    private readonly poller: StoredEventsPoller,
    private readonly counts: EventCountsRepository,
  ) {}

  /**
   * Resolves when the events are durable in the queue or, with a wait, when they are stored.
   * @param waitMs milliseconds to wait until they are stored; 0 to return once they are queued
   * @throws RedisUnavailableError, BacklogFullError
   */
  async accept(events: NewEvent[], waitMs: number): Promise<AcceptResult> {
    if (waitMs === 0) {
      await this.producer.add(events);
      return { status: 'queued' };
    }
    const deadline = Date.now() + waitMs;
    const ids = events.map(({ id }) => id);
    const existing = await this.poller.lookUp(ids, waitMs);
    const missing = events.filter(({ id }) => !existing.has(id));
    if (missing.length === 0) return { status: 'existing', events: inOrder(ids, existing) };
    await this.producer.add(missing);
    const created = await this.poller.waitFor(
      missing.map(({ id }) => id),
      deadline - Date.now(),
    );
    if (created === undefined) return { status: 'queued' };
    return { status: 'created', events: inOrder(ids, new Map([...existing, ...created])) };
  }

  /** @throws NotFoundError, DatabaseUnavailableError */
  async find(id: string): Promise<StoredEvent> {
    const [event] = isEventId(id) ? await this.repository.findByIds([id.toLowerCase()]) : [];
    if (!event) throw new NotFoundError('No event with this id is stored, or not yet.');
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

  /** Exact wherever prefix sums exist, which is everywhere except for a part of a session. */
  private async count(filter: EventFilter): Promise<Count> {
    const { session_id, ...others } = filter;
    if (session_id !== undefined) {
      const count = await this.repository.count(filter);
      const isWholeSession = Object.values(others).every((value) => value === undefined);
      if (!count.isEstimate || !isWholeSession) return count;
      return { count: await this.counts.ofSession(session_id), isEstimate: false };
    }
    const { timestamp_after, timestamp_before, ...dimensions } = others;
    const from = timestamp_after ?? ALWAYS.from;
    const to = (timestamp_before && nextMicrosecond(timestamp_before)) ?? ALWAYS.to;
    return { count: await this.counts.count(dimensions, { from, to }), isEstimate: false };
  }
}

/** The conditions of a query, without its other parameters and in a fixed order, which cursors rely on. */
export function toFilter({
  application,
  session_id,
  category,
  name,
  timestamp_after,
  timestamp_before,
}: EventFilter): EventFilter {
  return { application, session_id, category, name, timestamp_after, timestamp_before };
}

function inOrder(ids: string[], events: Map<string, StoredEvent>): StoredEvent[] {
  return ids.flatMap((id) => events.get(id) ?? []);
}
