import { Injectable } from '@nestjs/common';
import { EventsRepository } from '../events/events.repository.js';
import type { StoredEvent } from '../platform/model/event.js';
import { NotFoundError } from '../platform/errors/domain-error.js';
import { textViolation } from '../platform/model/event-text.js';
import { type Page, readPage } from '../platform/paging/page.js';
import { canonicalRange, secondsBetween } from '../platform/time/timestamp.js';
import type { ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import {
  type ListedSession,
  type Session,
  type SessionFilter,
  SessionsRepository,
} from './sessions.repository.js';

/** An event, and the seconds since the previous one; null for the first. */
export interface SessionEvent extends StoredEvent {
  elapsed: number | null;
}

/** Lists sessions and the events of a session. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly events: EventsRepository,
  ) {}

  /**
   * A page of sessions, ordered by their last events, newest first.
   * @throws CursorError, DatabaseUnavailableError
   */
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
    return { ...page, results: page.results.map(withoutId) };
  }

  /**
   * A session and a page of its events, oldest first.
   * @throws NotFoundError, CursorError, DatabaseUnavailableError
   */
  async find(
    sessionId: string,
    dto: ListSessionEventsDto,
  ): Promise<{ session: Session; page: Page<SessionEvent> }> {
    // No event has an invalid session_id, and PostgreSQL would reject some of them.
    const found = textViolation(sessionId) ? undefined : await this.sessions.find(sessionId);
    if (!found) throw new NotFoundError('There is no event of this session.');
    const session = withoutId(found);
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
    let previous = page.previous === null ? undefined : await this.eventBefore(sessionId, page.results[0]);
    const results: SessionEvent[] = [];
    for (const event of page.results) {
      const elapsed = previous ? secondsBetween(previous.timestamp, event.timestamp) : null;
      results.push({ ...event, elapsed });
      previous = event;
    }
    return { session, page: { ...page, results } };
  }

  private async eventBefore(
    sessionId: string,
    event: StoredEvent | undefined,
  ): Promise<StoredEvent | undefined> {
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

function withoutId({ session_id, first, last, events, applications, categories }: ListedSession): Session {
  return { session_id, first, last, events, applications, categories };
}

function toFilter({ application, category, ...range }: ListSessionsDto): SessionFilter {
  return { application, category, ...canonicalRange(range) };
}
