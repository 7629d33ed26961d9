import { Injectable } from '@nestjs/common';
import { SqlParameters } from '../platform/filters/filter-sql.js';
import type { Cursor } from '../platform/paging/cursor.js';
import { isDescending } from '../platform/paging/keyset-query.js';
import type { Slice } from '../platform/paging/page.js';
import { microsecondsOf, parseTimestamp, timestampAtMicroseconds } from '../platform/time/timestamp.js';
import { EventQuestions } from '../questions/event-questions.js';
import { KEY_BYTES, SESSION_HASH, YEAR_ONE_MICROSECONDS } from '../replication/session-projection.js';
import type { ListedSession } from './session.js';
import { type SessionScope, SessionSql, type Span } from './session-sql.js';

/** Events of the first window, for each session that is wanted, and at least. The next windows are larger. */
const EVENTS_PER_SESSION = 16;
const MIN_WINDOW_EVENTS = 1024;
const GROWTH = 4;

/** Sessions are summed up on disk beyond half of the memory, and not bounded by their number. */
export const SUMMED_ON_DISK = 'SETTINGS max_rows_to_group_by = 0, max_bytes_before_external_group_by = 40000000';

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
   * ascending, oldest first. They are looked for among the events of windows of time, from the cursor on, until there are
   * enough. A session is found in the window of its last event.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async find(scope: SessionScope, span: Span, slice: Slice): Promise<ListedSession[]> {
    const { cursor, limit } = slice;
    const descending = isDescending(slice);
    let rest = afterCursor(span, cursor, descending);
    if (scope.sessionId !== undefined) return this.inWindow(scope, rest, slice);
    const found: ListedSession[] = [];
    for (let size = Math.max(MIN_WINDOW_EVENTS, limit * EVENTS_PER_SESSION); ; size *= GROWTH) {
      const edge = await this.edge(scope, rest, size, descending);
      if (edge === undefined) {
        found.push(...(await this.inWindow(scope, rest, { ...slice, limit: limit - found.length })));
        return found;
      }
      const window = descending ? { from: edge, to: rest.to } : { from: rest.from, to: edge };
      found.push(...(await this.inWindow(scope, window, { ...slice, limit: limit - found.length })));
      if (found.length === limit) return found;
      rest = descending ? { from: rest.from, to: edge - 1n } : { from: edge + 1n, to: rest.to };
    }
  }

  /** The timestamp of the event with this number in a span; undefined if it has fewer. */
  private async edge(
    scope: SessionScope,
    span: Span,
    number: number,
    descending: boolean,
  ): Promise<bigint | undefined> {
    const sql = new SessionSql(scope);
    const [row] = await this.questions.query<{ timestamp: string }>(
      'window of sessions',
      `SELECT timestamp FROM events WHERE ${sql.within(span)}
       ORDER BY timestamp ${descending ? 'DESC' : 'ASC'} LIMIT 1 OFFSET ${sql.parameters.add(number - 1, 'UInt64')}`,
      sql.parameters,
    );
    return row && BigInt(row.timestamp);
  }

  private async inWindow(
    scope: SessionScope,
    window: Span,
    { newestFirst, cursor, limit }: Slice,
  ): Promise<ListedSession[]> {
    const descending = isDescending({ newestFirst, cursor, limit });
    const direction = descending ? 'DESC' : 'ASC';
    const sql = new SessionSql(scope);
    const candidates = sql.candidates(window);
    const matching = sql.matchingIn(candidates, window);
    const having = [lastIn(window, sql.parameters), cursor ? afterKey(cursor, descending, sql.parameters) : '1'];
    const page = `SELECT session_id FROM (${sql.sessions(candidates, matching, having.join(' AND '))})
      ORDER BY exit ${direction} LIMIT ${sql.parameters.add(limit, 'UInt32')}`;
    const rows = await this.questions.query<SessionRow>(
      'sessions',
      `SELECT session_id, first, last, events, arraySort(applications) AS applications, arraySort(categories) AS categories,
         arraySlice(splitByChar('\\0', substring(entry, ${KEY_BYTES + 1})), 2) AS entry,
         arraySlice(splitByChar('\\0', substring(exit, ${KEY_BYTES + 1})), 2) AS exit,
         UUIDNumToString(toFixedString(substring(key, 9, 16), 16)) AS id
       FROM (SELECT *, exit AS key FROM (
         ${sql.summed(`(${SESSION_HASH}, session_id) IN (SELECT ${SESSION_HASH}, session_id FROM (${page}))`)}
       ))
       ORDER BY key ${direction} ${SUMMED_ON_DISK}`,
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
