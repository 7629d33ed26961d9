import { Injectable } from '@nestjs/common';
import { QuestionTooLargeError } from '../platform/clickhouse/clickhouse-errors.js';
import { MAX_EXACT_COUNT } from '../platform/paging/keyset-query.js';
import type { Count } from '../platform/paging/page.js';
import { EventQuestions, SUMMED_ON_DISK } from '../questions/event-questions.js';
import { LAST_SAMPLED_HASH, SESSION_HASH, SESSION_SAMPLE } from '../replication/session-projection.js';
import { lastIn } from './session-search.repository.js';
import { type SessionScope, SessionSql, type Span } from './session-sql.js';

/** The sessions with so many events in a span are counted, whatever else there is. */
const MAX_COUNTED_EVENTS = 200_000;

/** The newest events, from which the share of sessions with an event that meets conditions is estimated. */
const SAMPLED_EVENTS = 200_000;

/** An estimate above this is not of fewer than MAX_EXACT_COUNT. */
const MIN_ESTIMATE = 2 * MAX_EXACT_COUNT;

/** Counts sessions in ClickHouse. */
@Injectable()
export class SessionCountRepository {
  constructor(private readonly questions: EventQuestions) {}

  /**
   * How many sessions of a scope have their last event in a span: exact up to MAX_EXACT_COUNT and for small installations, and
   * otherwise an estimate. Also an estimate if counting them would take too long.
   * @throws ClickHouseUnavailableError
   */
  async count(scope: SessionScope, span: Span): Promise<Count> {
    const events = await this.events(scope, span);
    if (events <= MAX_COUNTED_EVENTS) return exactly(await this.counted(scope, span, true));
    const estimate = Math.round((await this.sampled(scope, span)) * (await this.matchingShare(scope, span)));
    if (estimate >= MIN_ESTIMATE) return { count: estimate, isEstimate: true };
    try {
      return exactly(await this.counted(scope, span, false));
    } catch (error) {
      if (!(error instanceof QuestionTooLargeError)) throw error;
      return { count: Math.max(estimate, MAX_EXACT_COUNT + 1), isEstimate: true };
    }
  }

  private async events(scope: SessionScope, span: Span): Promise<number> {
    const sql = new SessionSql(scope);
    const [row] = await this.questions.query<{ events: string }>(
      'count of events',
      `SELECT count() AS events FROM events WHERE ${sql.within(span)}`,
      sql.parameters,
    );
    return Number(row?.events ?? 0);
  }

  /** @param isNarrow whether few of all sessions have an event in the span */
  private async counted(scope: SessionScope, span: Span, isNarrow: boolean): Promise<number> {
    const sql = new SessionSql(scope);
    const candidates = isNarrow ? sql.candidates(span) : '1';
    const matching = isNarrow ? sql.matchingIn(candidates, span) : sql.matching('1');
    return this.number(
      sql,
      `SELECT count() AS number FROM (${sql.sessions(candidates, matching, lastIn(span, sql.parameters))})`,
    );
  }

  /** Estimates the sessions, whatever the conditions on their events. */
  private async sampled(scope: SessionScope, span: Span): Promise<number> {
    const sql = new SessionSql(scope);
    const sample = `${SESSION_HASH} <= ${sql.parameters.add(LAST_SAMPLED_HASH, 'UInt64')}`;
    const sessions = sql.sessions(sample, '1', lastIn(span, sql.parameters));
    return SESSION_SAMPLE * (await this.number(sql, `SELECT count() AS number FROM (${sessions})`));
  }

  /** The share of sessions with an event that meets the conditions, among those of the newest events. */
  private async matchingShare(scope: SessionScope, span: Span): Promise<number> {
    if (scope.conditions.length === 0) return 1;
    const sql = new SessionSql(scope);
    return this.number(
      sql,
      `SELECT uniqExactIf(hash, matches) / uniqExact(hash) AS number FROM (
         SELECT ${SESSION_HASH} AS hash, ${sql.conditions()} AS matches FROM events WHERE ${sql.within(span)}
         ORDER BY timestamp DESC LIMIT ${SAMPLED_EVENTS}
       )`,
    );
  }

  private async number(sql: SessionSql, statement: string): Promise<number> {
    const [row] = await this.questions.query<{ number: string | number }>(
      'count of sessions',
      `${statement} ${SUMMED_ON_DISK}`,
      sql.parameters,
    );
    return Number(row?.number ?? 0);
  }
}

const exactly = (count: number): Count => ({ count, isEstimate: false });
