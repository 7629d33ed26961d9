import { Injectable } from '@nestjs/common';
import { EventsRepository, type StoredEvent } from '../events/events.repository.js';
import { type Page, readPage } from '../platform/paging/page.js';
import { canonicalRange, secondsBetween } from '../platform/time/timestamp.js';
import type { ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import {
  type ListedSession,
  type Session,
  type SessionFilter,
  SessionsRepository,
} from './sessions.repository.js';

/** An event, and the seconds that passed since the event before it; null for the first one. */
export interface SessionEvent extends StoredEvent {
  elapsed: number | null;
}

/** Answers which sessions there were, and what happened in one. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly events: EventsRepository,
  ) {}

  /** Newest first, by their last events. @throws CursorError, DatabaseUnavailableError */
  async list(dto: ListSessionsDto): Promise<Page<Session>> {
    const filter = toFilter(dto);
    const page = await readPage<ListedSession>(
      {
        newestFirst: true,
        query: JSON.stringify(['sessions', filter]),
        cursorKey: ({ last, id }) => ({ timestamp: last, id }),
        find: (slice) => this.sessions.list(filter, slice),
        count: () => this.sessions.count(filter),
      },
      dto,
    );
    return { ...page, results: page.results.map(withoutPlace) };
  }

  /**
   * A session and a page of its events, in the order in which they happened; undefined where there is no such session.
   * @throws CursorError, DatabaseUnavailableError
   */
  async find(
    sessionId: string,
    dto: ListSessionEventsDto,
  ): Promise<{ session: Session; page: Page<SessionEvent> } | undefined> {
    const found = await this.sessions.find(sessionId);
    if (!found) return undefined;
    const session = withoutPlace(found);
    const page = await readPage<StoredEvent>(
      {
        newestFirst: false,
        query: JSON.stringify(['session', sessionId]),
        cursorKey: ({ timestamp, id }) => ({ timestamp, id }),
        find: (slice) => this.events.find({ session_id: sessionId }, slice),
        count: () => Promise.resolve({ count: session.events, isEstimate: false }),
      },
      dto,
    );
    let before = page.previous === null ? undefined : await this.before(sessionId, page.results[0]);
    const results: SessionEvent[] = [];
    for (const event of page.results) {
      results.push({ ...event, elapsed: before ? secondsBetween(before.timestamp, event.timestamp) : null });
      before = event;
    }
    return { session, page: { ...page, results } };
  }

  private async before(sessionId: string, event: StoredEvent | undefined): Promise<StoredEvent | undefined> {
    if (!event) return undefined;
    const { timestamp, id } = event;
    const cursor = { direction: 'previous' as const, timestamp, id };
    const [found] = await this.events.find(
      { session_id: sessionId },
      { newestFirst: false, limit: 1, cursor },
    );
    return found;
  }
}

function withoutPlace({ session_id, first, last, events, applications, categories }: ListedSession): Session {
  return { session_id, first, last, events, applications, categories };
}

function toFilter({ application, category, ...range }: ListSessionsDto): SessionFilter {
  return { application, category, ...canonicalRange(range) };
}
