import { Injectable } from '@nestjs/common';
import { EventsRepository } from '../events/events.repository.js';
import { type ListedEvent, toListedEvent } from '../events/events.service.js';
import type { EventFilter, StoredEventText } from '../platform/model/event.js';
import { ClickHouseUnavailableError } from '../platform/clickhouse/clickhouse-errors.js';
import { NotFoundError } from '../platform/errors/domain-error.js';
import { textViolation } from '../platform/model/event-text.js';
import { MAX_PAGE_BYTES } from '../platform/paging/bounded-slice.js';
import { type Page, readPage, type SliceRows } from '../platform/paging/page.js';
import { microsecondsOf, parseTimestamp, secondsBetween } from '../platform/time/timestamp.js';
import { EventQuestions } from '../questions/event-questions.js';
import type { ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import type { ListedSession, Session } from './session.js';
import { SessionCountRepository } from './session-count.repository.js';
import { EVERY_SESSION } from './session-filter.js';
import { SessionSearchRepository } from './session-search.repository.js';
import { isWithoutConditions, type SessionScope, sessionScope, type Span } from './session-sql.js';
import { SessionSummaryRepository } from './session-summary.repository.js';

/** An event, and the seconds since the previous one; null for the first. */
export type SessionEvent = ListedEvent & { elapsed: number | null };

/** Events of a session that PostgreSQL sums up; ClickHouse sums up larger sessions. */
const MAX_SUMMED_EVENTS = 10_000;

/** All timestamps. */
const ALWAYS: Span = {
  from: microsecondsOf(parseTimestamp('0001-01-01T00:00:00Z')),
  to: microsecondsOf(parseTimestamp('9999-12-31T23:59:59.999999Z')),
};

/** Lists sessions and the events of a session. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly search: SessionSearchRepository,
    private readonly counts: SessionCountRepository,
    private readonly summaries: SessionSummaryRepository,
    private readonly questions: EventQuestions,
    private readonly events: EventsRepository,
  ) {}

  /**
   * A page of sessions, ordered by their last events, newest first.
   * @param visible the only application that the caller sees, as if there were no others; undefined if it sees all
   * @throws CursorError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async list(dto: ListSessionsDto, visible: string | undefined): Promise<Page<Session>> {
    const { filter, sessionFilter, timestamp_after, timestamp_before } = dto;
    const scope = sessionScope(dto, visible);
    const span = {
      from: timestamp_after ? microsecondsOf(timestamp_after) : ALWAYS.from,
      to: timestamp_before ? microsecondsOf(timestamp_before) : ALWAYS.to,
    };
    const asOf = await this.questions.asOf();
    const page = await readPage<ListedSession>(
      {
        newestFirst: true,
        query: JSON.stringify([
          'sessions',
          filter,
          sessionFilter,
          timestamp_after?.text,
          timestamp_before?.text,
          visible,
        ]),
        cursorKey: ({ last, id }) => ({ timestamp: last, id }),
        find: async (slice) => bounded(await this.search.find(scope, span, slice)),
        count: () => this.count(scope, span),
        countsMeanwhile: isWithoutConditions(scope),
      },
      dto,
    );
    return { ...page, asOf, results: page.results.map(withoutId) };
  }

  /** Of one session there is one page, which counts itself. */
  private count(scope: SessionScope, span: Span): ReturnType<SessionCountRepository['count']> {
    if (scope.sessionId !== undefined) return Promise.resolve({ count: 0, isEstimate: false });
    return this.counts.count(scope, span);
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
    const session = textViolation(sessionId) ? undefined : await this.summary(sessionId, visible);
    if (!session) throw new NotFoundError('There is no event of this session.');
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

  /** By PostgreSQL, or, for a large session, by ClickHouse. While that is away, PostgreSQL reads all of it. */
  private async summary(sessionId: string, visible: string | undefined): Promise<Session | undefined> {
    const session = await this.summaries.find(sessionId, visible, MAX_SUMMED_EVENTS);
    if (session !== 'too_large') return session;
    const scope = { visible, sessionId, conditions: [], sessionFilter: EVERY_SESSION };
    try {
      const [found] = await this.search.find(scope, ALWAYS, { newestFirst: true, limit: 1 });
      if (found) return withoutId(found);
    } catch (error) {
      if (!(error instanceof ClickHouseUnavailableError)) throw error;
    }
    const whole = await this.summaries.find(sessionId, visible, Number.MAX_SAFE_INTEGER - 1);
    return whole === 'too_large' ? undefined : whole;
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

/** The first sessions, up to MAX_PAGE_BYTES of names: a session may have thousands of categories. */
function bounded(sessions: ListedSession[]): SliceRows<ListedSession> {
  let bytes = 0;
  const end = sessions.findIndex(({ applications, categories }, index) => {
    bytes += applications.concat(categories).reduce((sum, name) => sum + Buffer.byteLength(name), 0);
    return bytes > MAX_PAGE_BYTES && index > 0;
  });
  return end === -1 ? { rows: sessions, isCut: false } : { rows: sessions.slice(0, end), isCut: true };
}

function withoutId(session: ListedSession): Session {
  const { session_id, first, last, duration, events, applications, categories, entry, exit } = session;
  return { session_id, first, last, duration, events, applications, categories, entry, exit };
}
