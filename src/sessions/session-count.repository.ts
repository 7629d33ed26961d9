import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { QuestionTooLargeError } from '../platform/clickhouse/clickhouse-errors.js';
import { MAX_EXACT_COUNT } from '../platform/paging/keyset-query.js';
import type { Count } from '../platform/paging/page.js';
import { EventQuestions, SUMMED_ON_DISK } from '../questions/event-questions.js';
import { LAST_SAMPLED_HASH, SESSION_HASH, SESSION_SAMPLE } from '../replication/session-projection.js';
import { lastIn } from './session-search.repository.js';
import { isEverySession, type SessionScope, SessionSql, type Span } from './session-sql.js';

/** The sessions with so many events in a span are counted, whatever else there is. */
const MAX_COUNTED_EVENTS = 200_000;

/** The newest events, from which the share of sessions with an event that meets conditions is estimated. */
const SAMPLED_EVENTS = 200_000;

/** An estimate above this is not of fewer than MAX_EXACT_COUNT. */
const MIN_ESTIMATE = 2 * MAX_EXACT_COUNT;

/** Callers whose distribution of sessions is remembered, and for how long, in milliseconds. */
const MAX_DISTRIBUTIONS = 100;
const DISTRIBUTION_TTL_MS = 10_000;

/** Into how many parts of as many sessions a distribution divides them at least. */
const PARTS = 1000;

/** A span with fewer of them is counted by itself: at each of its ends, a part is divided as if its sessions were even. */
const MIN_PARTS = 100;

/** Stands for callers who see all applications: no application has this name. */
const EVERYONE = '';

/** How the sessions are distributed over time, by the sample. */
interface Distribution {
  /** Sessions of each part. */
  readonly size: number;
  /** Timestamps of the last events of the first session of each part, and of the last session of all. */
  readonly lasts: readonly number[];
}

/** Counts sessions in ClickHouse. */
@Injectable()
export class SessionCountRepository {
  /** By the application that the caller sees. A page of a large list would take a third longer to count it again. */
  private readonly distributions = new LRUCache<string, Distribution>({
    max: MAX_DISTRIBUTIONS,
    ttl: DISTRIBUTION_TTL_MS,
  });

  constructor(private readonly questions: EventQuestions) {}

  /**
   * How many sessions of a scope have their last event in a span: exact up to MAX_EXACT_COUNT and for small installations, and
   * otherwise an estimate, of up to DISTRIBUTION_TTL_MS ago. Also an estimate if counting them would take too long.
   * @throws ClickHouseUnavailableError
   */
  async count(scope: SessionScope, span: Span): Promise<Count> {
    // Sessions are at most as many as their events.
    const known = this.remembered(scope, span);
    const isLarge = known > MAX_COUNTED_EVENTS || (await this.events(scope, span)) > MAX_COUNTED_EVENTS;
    if (!isLarge) return exactly(await this.counted(scope, span, true));
    const sessions = known > MAX_COUNTED_EVENTS ? known : await this.estimated(scope, span);
    const estimate = Math.round(sessions * (await this.matchingShare(scope, span)));
    if (estimate >= MIN_ESTIMATE) return { count: estimate, isEstimate: true };
    try {
      return exactly(await this.counted(scope, span, false));
    } catch (error) {
      if (!(error instanceof QuestionTooLargeError)) throw error;
      return { count: Math.max(estimate, MAX_EXACT_COUNT + 1), isEstimate: true };
    }
  }

  /** The sessions of a span by a distribution of the last seconds; 0 if there is none that is precise enough. */
  private remembered({ visible, sessionFilter }: SessionScope, span: Span): number {
    const distribution = this.distributions.get(visible ?? EVERYONE);
    return distribution && isEverySession(sessionFilter) ? sessionsIn(distribution, span) : 0;
  }

  /** Estimates the sessions, whatever the conditions on their events. */
  private async estimated(scope: SessionScope, span: Span): Promise<number> {
    const key = scope.visible ?? EVERYONE;
    if (isEverySession(scope.sessionFilter) && !this.distributions.has(key))
      this.distributions.set(key, await this.distribution(scope));
    return this.remembered(scope, span) || this.sampled(scope, span);
  }

  private async distribution(scope: SessionScope): Promise<Distribution> {
    const sql = new SessionSql(scope);
    const [row] = await this.questions.query<{ size: string; lasts: string[] }>(
      'distribution of sessions',
      `SELECT greatest(1, intDiv(length(sorted), ${PARTS})) AS size,
         arrayPushBack(arrayFilter((last, place) -> (place - 1) % size = 0, sorted, arrayEnumerate(sorted)), sorted[-1]) AS lasts
       FROM (SELECT arraySort(groupArray(last)) AS sorted FROM (${this.sample(sql, '1')})) ${SUMMED_ON_DISK}`,
      sql.parameters,
    );
    return { size: SESSION_SAMPLE * Number(row?.size), lasts: (row?.lasts ?? []).map(Number) };
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

  /** Like `estimated()`, of this span alone. */
  private async sampled(scope: SessionScope, span: Span): Promise<number> {
    const sql = new SessionSql(scope);
    const sample = this.sample(sql, lastIn(span, sql.parameters));
    return SESSION_SAMPLE * (await this.number(sql, `SELECT count() AS number FROM (${sample})`));
  }

  private sample(sql: SessionSql, having: string): string {
    const isSampled = `${SESSION_HASH} <= ${sql.parameters.add(LAST_SAMPLED_HASH, 'UInt64')}`;
    return sql.sessions(isSampled, '1', having);
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

/** The sessions of a distribution that have their last event in a span; 0 if they are too few to say. */
function sessionsIn({ size, lasts }: Distribution, { from, to }: Span): number {
  const parts = partsUntil(lasts, Number(to)) - partsUntil(lasts, Number(from));
  return parts < MIN_PARTS ? 0 : size * parts;
}

/** How many parts lie before a timestamp. */
function partsUntil(lasts: readonly number[], timestamp: number): number {
  const next = lasts.findIndex((last) => last > timestamp);
  if (next === -1) return lasts.length - 1;
  const [start, end] = [lasts[next - 1], lasts[next]];
  return start === undefined || end === undefined ? 0 : next - 1 + (timestamp - start) / (end - start);
}
