import { Injectable } from '@nestjs/common';
import { EventsRepository } from '../events/events.repository.js';
import { type ListedEvent, toListedEvent } from '../events/events.service.js';
import type { EventFilter, StoredEventText } from '../platform/model/event.js';
import { NotFoundError } from '../platform/errors/domain-error.js';
import { textViolation } from '../platform/model/event-text.js';
import { type Page, readPage } from '../platform/paging/page.js';
import { secondsBetween } from '../platform/time/timestamp.js';
import type { ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import {
  isOnlyOf,
  type ListedSession,
  type Session,
  type SessionFilter,
  SessionsRepository,
} from './sessions.repository.js';

/** An event, and the seconds since the previous one; null for the first. */
export type SessionEvent = ListedEvent & { elapsed: number | null };

const NIL = '00000000-0000-0000-0000-000000000000';

/** Lists sessions and the events of a session. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly sessions: SessionsRepository,
    private readonly events: EventsRepository,
  ) {}

  /**
   * A page of sessions, ordered by their last events, newest first. The order is that of the whole sessions, also for a
   * caller that sees only the part of one application.
   * @param visible the only application that the caller sees, which the filter names too; undefined if it sees all
   * @throws CursorError, DatabaseUnavailableError
   */
  async list(dto: ListSessionsDto, visible: string | undefined): Promise<Page<Session>> {
    const filter = toFilter(dto);
    if (dto.session_id !== undefined) return this.listOne(dto.session_id, filter, dto, visible);
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
    const sessions = page.results.map(withoutId);
    return {
      ...page,
      results: visible === undefined ? sessions : await this.visibleParts(sessions, visible),
    };
  }

  /** The session of this id as a list, if it matches the filter. */
  private async listOne(
    sessionId: string,
    filter: SessionFilter,
    dto: ListSessionsDto,
    visible: string | undefined,
  ): Promise<Page<Session>> {
    const found = textViolation(sessionId) ? undefined : await this.sessions.find(sessionId, visible);
    const rows = found && (await this.matches(found, filter)) ? [found] : [];
    return readPage<Session>(
      {
        newestFirst: true,
        query: JSON.stringify(['sessions', { session_id: sessionId, ...filter }]),
        // Never used: a list of one session has one page.
        cursorKey: ({ last }) => ({ timestamp: last, id: NIL }),
        find: () => Promise.resolve({ rows: rows.map(withoutId), isCut: false }),
        count: () => Promise.resolve({ count: rows.length, isEstimate: false }),
      },
      dto,
    );
  }

  private async matches({ session_id, last }: Session, filter: SessionFilter): Promise<boolean> {
    const { application, category, timestamp_after = last, timestamp_before = last } = filter;
    if (last < timestamp_after || last > timestamp_before) return false;
    if (application === undefined && category === undefined) return true;
    const { rows } = await this.events.find(
      { session_id, application, category },
      { newestFirst: true, limit: 1 },
    );
    return rows.length > 0;
  }

  /**
   * A session and a page of its events, oldest first.
   * @param visible the only application whose events the caller sees; undefined if it sees all
   * @throws NotFoundError, CursorError, DatabaseUnavailableError
   */
  async find(
    sessionId: string,
    dto: ListSessionEventsDto,
    visible: string | undefined,
  ): Promise<{ session: Session; page: Page<SessionEvent> }> {
    // No event has an invalid session_id, and PostgreSQL would reject some of them.
    const found = textViolation(sessionId) ? undefined : await this.sessions.find(sessionId, visible);
    if (!found) throw new NotFoundError('There is no event of this session.');
    const session = withoutId(found);
    const filter = { session_id: sessionId, application: visible };
    const page = await readPage<StoredEventText>(
      {
        newestFirst: false,
        query: JSON.stringify(['session', sessionId, ...(visible === undefined ? [] : [visible])]),
        cursorKey: ({ timestamp, id }) => ({ timestamp, id }),
        find: (slice) => this.events.find(filter, slice),
        count: () => Promise.resolve({ count: session.events, isEstimate: false }),
      },
      dto,
    );
    let previous = page.previous === null ? undefined : await this.eventBefore(filter, page.results[0]);
    const results: SessionEvent[] = [];
    for (const event of page.results) {
      const elapsed = previous ? secondsBetween(previous.timestamp, event.timestamp) : null;
      results.push({ ...toListedEvent(event), elapsed });
      previous = event;
    }
    return { session, page: { ...page, results } };
  }

  /** Replaces sessions that several applications share by the parts of one of them. */
  private async visibleParts(sessions: Session[], visible: string): Promise<Session[]> {
    const shared = sessions.filter((session) => !isOnlyOf(visible, session));
    if (shared.length === 0) return sessions;
    const parts = await this.sessions.ownParts(
      shared.map(({ session_id }) => session_id),
      visible,
    );
    const own = new Map(parts.map((part) => [part.session_id, part]));
    return sessions.flatMap((session) =>
      isOnlyOf(visible, session) ? session : (own.get(session.session_id) ?? []),
    );
  }

  private async eventBefore(
    filter: EventFilter,
    event: StoredEventText | undefined,
  ): Promise<StoredEventText | undefined> {
    if (!event) return undefined;
    const { timestamp, id } = event;
    const cursor = { direction: 'previous' as const, timestamp, id };
    const { rows } = await this.events.find(filter, { newestFirst: false, limit: 1, cursor });
    return rows[0];
  }
}

function withoutId({ session_id, first, last, events, applications, categories }: Session): Session {
  return { session_id, first, last, events, applications, categories };
}

function toFilter({
  application,
  category,
  timestamp_after,
  timestamp_before,
}: ListSessionsDto): SessionFilter {
  return { application, category, timestamp_after, timestamp_before };
}
