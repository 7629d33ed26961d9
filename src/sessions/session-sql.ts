import { type Filter, FILTER_FIELDS } from '../platform/filters/filter.js';
import { filterSql, SqlParameters } from '../platform/filters/filter-sql.js';
import { SESSION_AGGREGATES, SESSION_HASH } from '../replication/session-projection.js';
import { type SessionFilter, sessionFilterSql } from './session-filter.js';

/** Events right after a span that are read to find the sessions that continue. One that these miss is read like any other. */
const CONTINUING_EVENTS = 1024;

/** Which sessions a question is about. */
export interface SessionScope {
  /** The only application whose events count, as if there were no others; undefined for all. */
  readonly visible: string | undefined;
  /** Only the session of this id. */
  readonly sessionId: string | undefined;
  /** One event at least must meet all of these. */
  readonly conditions: readonly Filter[];
  readonly sessionFilter: SessionFilter;
}

/** A span of time by the microseconds of timestamps, both inclusive. */
export interface Span {
  readonly from: bigint;
  readonly to: bigint;
}

/** @param filter the conditions on events, of which those that every visible event of the session meets are left out */
export function sessionScope(
  {
    filter,
    sessionFilter,
    session_id,
  }: { filter: Filter; sessionFilter: SessionFilter; session_id?: string },
  visible: string | undefined,
): SessionScope {
  const certain: Partial<Record<(typeof FILTER_FIELDS)[number], string>> = {
    application: visible,
    session_id,
  };
  const isCertain = (one: Filter): boolean =>
    one.kind === 'in' &&
    one.property.kind === 'field' &&
    one.values.length === 1 &&
    certain[one.property.field] === one.values[0];
  return {
    visible,
    sessionId: session_id,
    conditions: conjuncts(filter).filter((one) => !isCertain(one)),
    sessionFilter,
  };
}

/** Whether all sessions are meant, but for the caller's view and the span. */
export const isWithoutConditions = ({ sessionId, conditions, sessionFilter }: SessionScope): boolean =>
  sessionId === undefined && conditions.length === 0 && isEverySession(sessionFilter);

export const isEverySession = (filter: SessionFilter): boolean => conjuncts(filter).length === 0;

const conjuncts = <Property>(filter: Filter<Property>): Filter<Property>[] =>
  filter.kind === 'all' ? filter.filters.flatMap((one) => conjuncts(one)) : [filter];

/** The sessions of the events that meet a condition; some others may be among them. As a condition on the projection. */
const ofEvents = (condition: string): string =>
  `${SESSION_HASH} IN (SELECT ${SESSION_HASH} FROM events WHERE ${condition})`;

/** Statements about sessions, which ClickHouse reads from their projection. Conditions on their events read the events. */
export class SessionSql {
  readonly parameters = new SqlParameters();
  private readonly visible: string;

  constructor(private readonly scope: SessionScope) {
    this.visible = scope.visible === undefined ? '1' : `application = ${this.parameters.text(scope.visible)}`;
  }

  /** The events of a span, as a condition. */
  within({ from, to }: Span): string {
    const at = (microseconds: bigint): string => this.parameters.add(String(microseconds), 'Int64');
    return `timestamp >= ${at(from)} AND timestamp <= ${at(to)} AND ${this.visible}`;
  }

  /** The events of a span whose sessions do not continue right after it. */
  beforeLast(span: Span): string {
    const next = `SELECT session_id FROM events WHERE timestamp > ${this.parameters.add(String(span.to), 'Int64')} AND ${this.visible}
      ORDER BY timestamp LIMIT ${CONTINUING_EVENTS}`;
    return `${this.within(span)} AND session_id NOT IN (${next})`;
  }

  /** The session that the scope names, or those that can have their last event in a span. */
  endingIn(span: Span): string {
    return this.named() ?? ofEvents(this.beforeLast(span));
  }

  /** The sessions with these SESSION_HASHes, as a condition on the projection; some others may be among them. */
  ofHashes(hashes: readonly string[]): string {
    return `${SESSION_HASH} IN ${this.parameters.add(hashes.map(BigInt), 'Array(UInt64)')}`;
  }

  /** The session that the scope names, or those with an event in a span. */
  candidates(span: Span): string {
    return this.named() ?? ofEvents(this.within(span));
  }

  private named(): string | undefined {
    const { sessionId } = this.scope;
    if (sessionId === undefined) return undefined;
    const id = this.parameters.text(sessionId);
    return `${SESSION_HASH} = cityHash64(${id}) AND session_id = ${id}`;
  }

  /**
   * SESSION_AGGREGATES of the sessions of the scope, as a subquery.
   * @param candidates a condition on the projection that they meet
   * @param matching a condition on `session_id`: see `matching()`
   * @param having a further condition on SESSION_AGGREGATES
   */
  sessions(candidates: string, matching: string, having: string): string {
    return `SELECT * FROM (${this.summed(`${candidates} AND ${matching}`)})
      WHERE ${having} AND ${sessionFilterSql(this.scope.sessionFilter, this.parameters)}`;
  }

  /** SESSION_AGGREGATES of the sessions that meet a condition on the projection. */
  summed(condition: string): string {
    const aggregates = Object.entries(SESSION_AGGREGATES).map(([name, sql]) => `${sql} AS ${name}`);
    return `SELECT session_id, ${aggregates.join(', ')} FROM events WHERE ${condition} AND ${this.visible} GROUP BY session_id`;
  }

  /** The sessions that a statement selects, as a condition on the projection. */
  among(statement: string): string {
    return `(${SESSION_HASH}, session_id) IN (SELECT ${SESSION_HASH}, session_id FROM (${statement}))`;
  }

  /**
   * The sessions with an event that meets the conditions of the scope, as a condition on `session_id`.
   * @param events a condition on the events that can be such
   */
  matching(events: string): string {
    if (this.scope.conditions.length === 0) return '1';
    return `session_id IN (SELECT session_id FROM events WHERE ${events} AND ${this.visible} AND ${this.conditions()})`;
  }

  /** Like `matching()`, for the sessions that have their last event in a span: reads no event before the first of these. */
  matchingIn(candidates: string, { to }: Span): string {
    const last = this.parameters.add(String(to), 'Int64');
    const first = `SELECT min(first) FROM (${this.summed(candidates)}) WHERE last <= ${last}`;
    return this.matching(`${candidates} AND timestamp >= (${first}) AND timestamp <= ${last}`);
  }

  /** The conditions of the scope, as a condition on an event. */
  conditions(): string {
    return filterSql({ kind: 'all', filters: this.scope.conditions }, this.parameters);
  }
}
