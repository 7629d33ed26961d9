import { Injectable } from '@nestjs/common';
import { NotFoundError } from '../platform/errors/domain-error.js';
import { RawJson } from '../platform/json/raw-json.js';
import type { ReadEvent, StoredEvent, StoredEventText } from '../platform/model/event.js';
import { isEventId } from '../platform/model/event-id.js';
import { type Page, readPage } from '../platform/paging/page.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { Producer } from '../queue/producer.js';
import type { ListEventsDto } from './dto/list-events.dto.js';
import { EventSearch, formatSelection, type SearchEngine } from './event-search.js';
import { EventsRepository } from './events.repository.js';
import { StoredEventsPoller, type WaitRequest } from './stored-events.poller.js';

/** What became of accepted events. */
export type AcceptResult = {
  /** Whether they are only queued, or stored by this request (`created`), or were stored before (`existing`). */
  readonly status: 'queued' | 'created' | 'existing';
  /** False if too many requests wait already for this one to wait too. */
  readonly waited: boolean;
};

/** An event of a list. */
export type ListedEvent = Omit<StoredEvent, 'data'> & { data: RawJson };

/** Accepts events and finds them. Knows nothing of HTTP. */
@Injectable()
export class EventsService {
  constructor(
    private readonly producer: Producer,
    private readonly repository: EventsRepository,
    private readonly search: EventSearch,
    private readonly poller: StoredEventsPoller,
  ) {}

  /**
   * Resolves when the events are durable in the queue or, with a wait, when they are stored.
   * @param waitMs milliseconds to wait until they are stored; 0 to return once they are queued
   * @param sender who waits, and with how many bytes
   * @throws RedisUnavailableError, BacklogFullError
   */
  async accept(
    events: ReadEvent[],
    waitMs: number,
    sender: Omit<WaitRequest, 'events'>,
  ): Promise<AcceptResult> {
    const stopWaiting = waitMs > 0 ? this.poller.reserve({ ...sender, events: events.length }) : undefined;
    if (!stopWaiting) {
      await this.queue(events, false);
      return { status: 'queued', waited: false };
    }
    try {
      return { status: await this.acceptAndWait(events, Date.now() + waitMs), waited: true };
    } finally {
      stopWaiting();
    }
  }

  private async acceptAndWait(events: ReadEvent[], deadline: number): Promise<AcceptResult['status']> {
    const existing = await this.poller.lookUp(
      events.map(({ id }) => id),
      deadline - Date.now(),
    );
    const missing = events.filter(({ id }) => !existing.has(id));
    if (missing.length === 0) return 'existing';
    await this.queue(missing, true);
    const ids = missing.map(({ id }) => id);
    return (await this.poller.waitFor(ids, deadline - Date.now())) ? 'created' : 'queued';
  }

  /** All of them are of the application of one caller. */
  private async queue(events: ReadEvent[], isAwaited: boolean): Promise<void> {
    await this.producer.add(
      events.map(({ text }) => text),
      isAwaited,
    );
    const [first] = events;
    if (first) metrics.acceptedOf(first.application, events.length);
  }

  /**
   * @param visible the only application whose events the caller sees; undefined if it sees all
   * @throws NotFoundError, DatabaseUnavailableError
   */
  async find(id: string, visible: string | undefined): Promise<StoredEvent> {
    const event = isEventId(id) ? await this.repository.findById(id.toLowerCase()) : undefined;
    if (!event || (visible ?? event.application) !== event.application)
      throw new NotFoundError('No event with this id is stored, or not yet.');
    return event;
  }

  /**
   * @param engine that finds the events
   * @throws CursorError, PageTooDeepError, DatabaseUnavailableError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async list(dto: ListEventsDto, engine: SearchEngine): Promise<Page<ListedEvent>> {
    const { find, count, asOf } = await this.search.sourceOf(dto, engine);
    const order = dto.ordering ?? '-timestamp';
    const page = await readPage(
      {
        newestFirst: order === '-timestamp',
        query: JSON.stringify([order, ...formatSelection(dto, engine)]),
        cursorKey: ({ timestamp, id }: StoredEventText) => ({ timestamp, id }),
        find,
        count,
      },
      dto,
    );
    return { ...page, asOf, results: page.results.map(toListedEvent) };
  }
}

export const toListedEvent = (event: StoredEventText): ListedEvent => ({
  ...event,
  data: new RawJson(event.data),
});
