import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../platform/filters/filter-sql.js';
import type { Cursor } from '../platform/paging/cursor.js';
import { isDescending } from '../platform/paging/keyset-query.js';
import type { Slice } from '../platform/paging/page.js';
import { microsecondsOf, parseTimestamp, timestampAtMicroseconds } from '../platform/time/timestamp.js';
import { EventQuestions, SUMMED_ON_DISK } from '../questions/event-questions.js';
import { KEY_BYTES, SESSION_HASH, YEAR_ONE_MICROSECONDS } from '../replication/session-projection.js';
import type { ListedSession } from './session.js';
import { type SessionScope, SessionSql, type Span } from './session-sql.js';

/** By how much the next window is larger. */
const GROWTH = 4;

/** Events that are read to find a number of sessions. */
const EVENTS_PER_SESSION = 32;
const MIN_WINDOW_EVENTS = 1024;

/** Sessions of a window that are read whole. */
const MAX_WHOLE = 4096;

/** Sessions of a window that the statement which reads them names, instead of finding them again. */
const MAX_NAMED = 256;

/** The part of a span that is looked into next. */
interface Window {
  readonly span: Span;
  /** SESSION_HASH of the sessions that can have their last event in it; undefined if there are more than MAX_NAMED. */
  readonly hashes: readonly string[] | undefined;
  /** Whether nothing of the span is left. */
  readonly isLast: boolean;
}

interface WindowRow {
  readonly events: string;
  readonly sessions: string;
  /** Timestamp at which the window ends, if the span has more. */
  readonly edge: string;
  readonly hashes: readonly string[];
}

interface SessionRow {
  readonly session_id: string;
  /** Microseconds since 1970. */
  readonly first: string;
  readonly last: string;
  readonly events: string;
  readonly applications: string[];
  readonly categories: string[];
  /** Category and name. */
  readonly entry: [string, string];
  readonly exit: [string, string];
  readonly id: string;
}

/** Finds sessions in ClickHouse. */
@Injectable()
export class SessionSearchRepository {
  constructor(private readonly questions: EventQuestions) {}

  /**
   * The sessions of a scope that have their last event in a span, by its (timestamp, id): newest first, or for a slice that is
   * ascending, oldest first. They are looked for in windows of time, from the cursor on, until there are enough. The first has
   * the events of as many sessions as are wanted. A session is found in the window of its last event.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async find(scope: SessionScope, span: Span, slice: Slice): Promise<ListedSession[]> {
    const { cursor, limit } = slice;
    const descending = isDescending(slice);
    let rest: Span | undefined = afterCursor(span, cursor, descending);
    if (scope.sessionId !== undefined) {
      const window = { span: rest, hashes: undefined, isLast: true };
      return this.inWindow(scope, window, slice, true);
    }
    const found: ListedSession[] = [];
    for (let sessions = limit; rest && found.length < limit; sessions *= GROWTH) {
      const window = await this.window(scope, rest, sessions, descending);
      const wanted = { ...slice, limit: limit - found.length };
      found.push(...(await this.inWindow(scope, window, wanted, sessions <= MAX_WHOLE)));
      if (window.isLast) break;
      const { from, to } = window.span;
      rest = descending ? { ...rest, to: from - 1n } : { ...rest, from: to + 1n };
    }
    return found;
  }

  /**
   * The part of a span, from its newest or oldest event on, with the events of so many sessions, or with a number of events where
   * these are many.
   */
  private async window(
    scope: SessionScope,
    span: Span,
    sessions: number,
    descending: boolean,
  ): Promise<Window> {
    const sql = new SessionSql(scope);
    const [direction, nearest, farthest, sort, isWithin] = descending
      ? (['DESC', 'max', 'min', 'arrayReverseSort', '>='] as const)
      : (['ASC', 'min', 'max', 'arraySort', '<='] as const);
    const maxEvents = Math.max(MIN_WINDOW_EVENTS, sessions * EVENTS_PER_SESSION);
    const wanted = sql.parameters.add(sessions, 'UInt64');
    // By its nearest event a session is known.
    const [row] = await this.questions.query<WindowRow>(
      'window of sessions',
      `SELECT events, sessions, edge,
         arraySlice(arrayMap(known -> known.2, arrayFilter(known -> known.1 ${isWithin} edge, sorted)), 1, ${MAX_NAMED + 1}) AS hashes
       FROM (
         SELECT sum(events) AS events, count() AS sessions, ${sort}(groupArray((nearest, hash))) AS sorted,
           if(sessions >= ${wanted}, sorted[${wanted}].1, ${farthest}(farthest)) AS edge
         FROM (
           SELECT hash, ${nearest}(timestamp) AS nearest, ${farthest}(timestamp) AS farthest, count() AS events
           FROM (
             SELECT timestamp, ${SESSION_HASH} AS hash FROM events
             WHERE ${descending ? sql.beforeLast(span) : sql.within(span)}
             ORDER BY timestamp ${direction} LIMIT ${sql.parameters.add(maxEvents, 'UInt64')}
           )
           GROUP BY hash
         )
       ) ${SUMMED_ON_DISK}`,
      sql.parameters,
    );
    const { events, edge, hashes, ...known } = row as WindowRow;
    const isLast = Number(known.sessions) < sessions && Number(events) < maxEvents;
    const ended = descending ? { ...span, from: BigInt(edge) } : { ...span, to: BigInt(edge) };
    return {
      span: isLast ? span : ended,
      hashes: hashes.length <= MAX_NAMED ? hashes : undefined,
      isLast,
    };
  }

  /** @param isSmall whether all sessions of the window can be read whole, instead of those of the page after finding them */
  private async inWindow(
    scope: SessionScope,
    { span: window, hashes }: Window,
    { newestFirst, cursor, limit }: Slice,
    isSmall: boolean,
  ): Promise<ListedSession[]> {
    if (hashes?.length === 0) return [];
    const descending = isDescending({ newestFirst, cursor, limit });
    const sql = new SessionSql(scope);
    const order = `ORDER BY exit ${descending ? 'DESC' : 'ASC'} LIMIT ${sql.parameters.add(limit, 'UInt32')}`;
    const candidates = hashes ? sql.ofHashes(hashes) : sql.endingIn(window);
    const having = `${lastIn(window, sql.parameters)} AND ${cursor ? afterKey(cursor, descending, sql.parameters) : '1'}`;
    const matches = `SELECT * FROM (${sql.sessions(candidates, sql.matchingIn(candidates, window), having)}) ${order}`;
    const page = isSmall ? matches : `${sql.summed(sql.among(matches))} ${order}`;
    const rows = await this.questions.query<SessionRow>(
      'sessions',
      `SELECT session_id, first, last, events, arraySort(applications) AS applications, arraySort(categories) AS categories,
         arraySlice(splitByChar('\\0', substring(entry, ${KEY_BYTES + 1})), 2) AS entry,
         arraySlice(splitByChar('\\0', substring(key, ${KEY_BYTES + 1})), 2) AS exit,
         UUIDNumToString(toFixedString(substring(key, 9, 16), 16)) AS id
       FROM (SELECT * EXCEPT exit, exit AS key FROM (${page}))
       ORDER BY key ${descending ? 'DESC' : 'ASC'} ${SUMMED_ON_DISK}`,
      sql.parameters,
    );
    return rows.map(toListedSession);
  }
}

/** The part of a span that a cursor leaves, which has events of its timestamp still. */
function afterCursor({ from, to }: Span, cursor: Cursor | undefined, descending: boolean): Span {
  if (!cursor) return { from, to };
  const at = microsecondsOf(parseTimestamp(cursor.timestamp));
  return descending ? { from, to: at < to ? at : to } : { from: at > from ? at : from, to };
}

/** Whether sessions have their last event in a span, as a condition on SESSION_AGGREGATES. */
export const lastIn = ({ from, to }: Span, parameters: SqlParameters): string =>
  `last >= ${parameters.add(String(from), 'Int64')} AND last <= ${parameters.add(String(to), 'Int64')}`;

function afterKey({ timestamp, id }: Cursor, descending: boolean, parameters: SqlParameters): string {
  const time = microsecondsOf(parseTimestamp(timestamp)) + YEAR_ONE_MICROSECONDS;
  const key = parameters.text(time.toString(16).padStart(16, '0') + id.replaceAll('-', ''));
  return `substring(exit, 1, ${KEY_BYTES}) ${descending ? '<' : '>'} unhex(${key})`;
}

function toListedSession({ first, last, events, entry, exit, ...row }: SessionRow): ListedSession {
  const microseconds = BigInt(last) - BigInt(first);
  return {
    ...row,
    first: timestampAtMicroseconds(BigInt(first)).text,
    last: timestampAtMicroseconds(BigInt(last)).text,
    duration: Number(microseconds) / 1_000_000,
    events: Number(events),
    entry: { category: entry[0], name: entry[1] },
    exit: { category: exit[0], name: exit[1] },
  };
}
