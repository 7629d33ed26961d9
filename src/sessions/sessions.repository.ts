import { Injectable } from '@nestjs/common';
import { Database } from '../platform/database/database.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { formatUtc, ReadSql, selectUtc } from '../platform/database/sql.js';
import { readBoundedSlice } from '../platform/paging/bounded-slice.js';
import {
  estimateRows,
  MAX_EXACT_COUNT,
  Expression,
  selectSlice,
  type KeysetQuery,
  type Statement,
} from '../platform/paging/keyset-query.js';
import type { Count, Slice, SliceRows } from '../platform/paging/page.js';
import { oneSession } from '../statistics/one-session.js';

/** A session as its events say. */
export interface Session {
  session_id: string;
  /** UTC with six fractional digits: of its first event and of its last one. */
  first: string;
  last: string;
  events: number;
  applications: string[];
  categories: string[];
}

/** A session in a list, at the place of its last event. */
export interface ListedSession extends Session {
  /** Of its last event. */
  id: string;
}

export interface SessionFilter {
  /** One event at least is of this application, of this category, of both at once. */
  application?: string;
  category?: string;
  /** Canonical timestamps, both inclusive, that the last event lies between. */
  timestamp_after?: string;
  timestamp_before?: string;
}

const COLUMNS = `session_id, ${selectUtc('first')}, ${selectUtc('last')}, id, events::float8 AS events,
  ARRAY(SELECT DISTINCT application FROM unnest(sources) ORDER BY 1) AS applications,
  ARRAY(SELECT DISTINCT category FROM unnest(sources) ORDER BY 1) AS categories`;

/** A session may have thousands of categories. */
const LISTED_BYTES = 'octet_length(applications::text) + octet_length(categories::text)';

const PENDING = 'pending AS MATERIALIZED (SELECT * FROM pending_sessions)';

/** The applications that have lists, found by leaps in the index. */
const NAMES = `names AS (
  (SELECT application FROM session_lists ORDER BY application LIMIT 1)
  UNION ALL
  SELECT (SELECT application FROM session_lists WHERE application > names.application ORDER BY application LIMIT 1)
  FROM names WHERE application IS NOT NULL
)`;
const FIELDS = 'session_id, first, last, id, events, sources';

/** Reads sessions: what is kept of them, and what is pending (see the migration that creates them). */
@Injectable()
export class SessionsRepository {
  constructor(
    private readonly sql: ReadSql,
    private readonly database: Database,
  ) {}

  /** @param visible the only application whose events count; undefined for all */
  async find(sessionId: string, visible: string | undefined): Promise<Session | undefined> {
    const [session] = await this.query<ListedSession>(
      `${oneSession(FIELDS)} SELECT ${COLUMNS} FROM found WHERE events > 0`,
      [sessionId],
    );
    if (!session || visible === undefined || isOnlyOf(visible, session)) return session;
    const [own] = session.applications.includes(visible) ? await this.ownParts([sessionId], visible) : [];
    return own;
  }

  /**
   * The parts of some sessions that one application has sent, computed from its events: the summaries hold sessions as a
   * whole.
   */
  ownParts(sessionIds: readonly string[], application: string): Promise<Session[]> {
    return this.query(
      `SELECT session_id, ${formatUtc(`min(timestamp) AT TIME ZONE 'UTC'`)} AS first,
         ${formatUtc(`max(timestamp) AT TIME ZONE 'UTC'`)} AS last, count(*)::float8 AS events,
         ARRAY[$2] AS applications, array_agg(DISTINCT category ORDER BY category) AS categories
       FROM events WHERE session_id = ANY ($1::text[]) AND application = $2
       GROUP BY session_id`,
      [sessionIds, application],
    );
  }

  /**
   * A slice of the matching sessions in their order; for a cursor to `previous`, in the opposite order. It ends early if
   * the sessions are large.
   */
  list(filter: SessionFilter, slice: Slice): Promise<SliceRows<ListedSession>> {
    return readBoundedSlice({
      slice,
      select: (part) => selectListed(filter, part),
      bytes: LISTED_BYTES,
      cursorKey: ({ last, id }) => ({ timestamp: last, id }),
      run: ({ sql, parameters }) => this.query(sql, parameters),
    });
  }

  /** How many sessions match: exact up to EXACT_COUNT, and beyond it an estimate. */
  async count(filter: SessionFilter): Promise<Count> {
    if (await this.areMany(filter)) return this.estimate(filter);
    const slice = { newestFirst: true, limit: MAX_EXACT_COUNT + 1 };
    const { parameters, lists, both } = matching(filter, 'last, id', slice);
    const [counted] = await this.query<{ count: number }>(
      `WITH RECURSIVE ${lists} SELECT count(*)::int AS count FROM (${both}) AS matching`,
      parameters,
    );
    const count = counted?.count ?? 0;
    return count > MAX_EXACT_COUNT ? this.estimate(filter) : { count, isEstimate: false };
  }

  /** True where more than EXACT_COUNT are listed, whatever the changes that wait do to them; merging these costs more. */
  private async areMany(filter: SessionFilter): Promise<boolean> {
    const [waiting] = await this.query<{ changes: number }>(
      'SELECT count(*)::int AS changes FROM session_changes',
      [],
    );
    const enough = MAX_EXACT_COUNT + 1 + (waiting?.changes ?? 0);
    const { sql, parameters } = kept(filter, 'last, id', { newestFirst: true, limit: enough });
    const [listed] = await this.query<{ count: number }>(
      `WITH RECURSIVE ${NAMES} SELECT count(*)::int AS count FROM (${sql}) AS listed`,
      parameters,
    );
    return (listed?.count ?? 0) >= enough;
  }

  private async estimate(filter: SessionFilter): Promise<Count> {
    const all = walked('session_lists', filter, filter.application);
    const rows = await estimateRows((sql, values) => this.query(sql, values), all);
    return { count: Math.max(rows, MAX_EXACT_COUNT + 1), isEstimate: true };
  }

  private query<Row>(sql: string, parameters: unknown[]): Promise<Row[]> {
    // While the sessions of what was stored before are being gathered, there are too few.
    if (!this.database.isReady) return Promise.reject(new DatabaseUnavailableError());
    return this.sql.query<Row>(sql, parameters);
  }
}

/** Whether no other application has sent events into a session. */
export const isOnlyOf = (application: string, { applications }: Session): boolean =>
  applications.every((name) => name === application);

function selectListed(filter: SessionFilter, slice: Slice): Statement {
  const { parameters, lists, both } = matching(filter, 'session_id, last, id', slice);
  const direction = slice.cursor?.direction === 'previous' ? 'ASC' : 'DESC';
  parameters.push(slice.limit);
  const sql = `WITH RECURSIVE ${lists},
    page AS MATERIALIZED (
      SELECT * FROM (${both}) AS matching ORDER BY last ${direction}, id ${direction} LIMIT $${parameters.length}
    ),
    found AS (
      SELECT ${FIELDS} FROM pending WHERE session_id IN (SELECT session_id FROM page)
      UNION ALL
      SELECT kept.*
      FROM page, LATERAL (SELECT ${FIELDS} FROM sessions WHERE session_id = page.session_id OFFSET 0) AS kept
      WHERE page.session_id NOT IN (SELECT session_id FROM pending)
    )
    SELECT ${COLUMNS} FROM found ORDER BY found.last ${direction}, id ${direction}`;
  return { sql, parameters };
}

/**
 * What is listed, without those that changed, and these where they belong now: each read in order, no further than the
 * slice. A change is told by the id of the event that was the last before, since the index holds it.
 */
function matching(filter: SessionFilter, columns: string, slice: Slice) {
  const unchanged = 'session_lists.id NOT IN (SELECT id_before FROM pending WHERE id_before IS NOT NULL)';
  const { sql, parameters } = kept(filter, columns, slice, unchanged);
  const own = filter.application ?? new Expression('pending_list.application');
  const changed = selectSlice(columns, walked('pending_list', filter, own), slice);
  parameters.push(filter.application, filter.category);
  const [application, category] = [`$${parameters.length - 1}::text`, `$${parameters.length}::text`];
  const lists = `${PENDING},
    pending_list AS (
      SELECT coalesce(${application}, '') AS application, coalesce(${category}, '') AS category, last, id, session_id
      FROM pending
      WHERE events > 0 AND (coalesce(${application}, ${category}) IS NULL OR EXISTS (
        SELECT FROM unnest(sources) AS source
        WHERE source.application = coalesce(${application}, source.application)
          AND source.category = coalesce(${category}, source.category)
      ))
    ),
    ${NAMES}`;
  return { parameters, lists, both: `(${sql}) UNION ALL (${changed.sql})` };
}

/** What is listed: of one application in its order, or of all of them together in none. */
function kept(filter: SessionFilter, columns: string, slice: Slice, condition?: string) {
  const { application } = filter;
  const list = walked('session_lists', filter, application ?? new Expression('names.application'));
  const { sql, parameters } = selectSlice(columns, { ...list, condition }, slice);
  const all = `SELECT DISTINCT found.* FROM names, LATERAL (${sql}) AS found`;
  return { sql: application === undefined ? all : sql, parameters };
}

/** The list that serves a filter; '' stands for all categories. */
function walked(
  table: string,
  filter: SessionFilter,
  application: KeysetQuery['equality'][string],
): KeysetQuery {
  const { category = '', timestamp_after: after, timestamp_before: before } = filter;
  return { table, orderColumn: 'last', equality: { application, category }, residual: {}, after, before };
}
