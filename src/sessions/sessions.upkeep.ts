import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import type { Changes } from '../platform/database/changes-keeper.js';
import { Sql } from '../platform/database/sql.js';

/** Any number that other users of the database are unlikely to lock: "EYES" in ASCII. One folds or rebuilds at a time. */
const FOLD_LOCK = 0x45594553;

/** Keeps what is kept of the sessions in order. The functions that it calls are those of the migration. */
@Injectable()
export class SessionsUpkeep implements Changes {
  readonly atOnce = 20_000;

  constructor(private readonly sql: Sql) {}

  async foldSome(limit: number): Promise<number> {
    const [folded] = await this.sql.query<{ changes: number | null }>(
      `SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN fold_sessions($2) END AS changes`,
      [FOLD_LOCK, limit],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return folded?.changes ?? 0;
  }

  async sweep(): Promise<void> {
    await this.sql.query('VACUUM session_changes', [], { timeoutMs: environment.STORE_TIMEOUT });
  }

  /** Gathers all sessions anew, in one snapshot, while workers go on storing; whoever asks sees the old ones meanwhile. */
  async rebuild(): Promise<void> {
    await this.sql.withLockedSnapshot(FOLD_LOCK, (transaction) =>
      transaction.query('SELECT rebuild_sessions()'),
    );
  }

  /** The first sessions, `limit` of them at most, that are not kept or listed as their events say. */
  verify(limit: number): Promise<string[]> {
    return this.sql.withLockedSnapshot(FOLD_LOCK, async (transaction) => {
      const rows = await transaction.query<{ session_id: string }>(DIFFERENCES, [limit]);
      return rows.map(({ session_id }) => session_id);
    });
  }
}

/** Places in lists are those of what is kept; what is pending has yet to move them. */
const DIFFERENCES = `
  WITH pending AS MATERIALIZED (SELECT * FROM pending_sessions),
  kept AS (
    SELECT session_id, first, last, id, events, sources FROM sessions
    WHERE session_id NOT IN (SELECT session_id FROM pending)
    UNION ALL
    SELECT session_id, first, last, id, events, sources FROM pending WHERE events > 0
  ),
  counted AS (
    SELECT session_id, min(timestamp) AS first, max(timestamp) AS last,
      (array_agg(id ORDER BY timestamp DESC, id DESC))[1] AS id, count(*) AS events,
      array_agg(DISTINCT ROW (application, category)::event_source) AS sources
    FROM events
    GROUP BY session_id
  ),
  due AS (
    SELECT DISTINCT source.application, CASE WHEN by_category THEN source.category ELSE '' END AS category, last, id, session_id
    FROM sessions, unnest(sources) AS source, (VALUES (true), (false)) AS list (by_category)
  ),
  listed AS (SELECT application, category, last, id, session_id FROM session_lists)
  SELECT DISTINCT session_id FROM (
    SELECT session_id
    FROM kept FULL JOIN counted USING (session_id)
    WHERE (kept.first, kept.last, kept.id, kept.events) IS DISTINCT FROM (counted.first, counted.last, counted.id, counted.events)
      OR NOT (kept.sources @> counted.sources AND counted.sources @> kept.sources)
    UNION ALL SELECT session_id FROM (TABLE due EXCEPT TABLE listed) AS missing
    UNION ALL SELECT session_id FROM (TABLE listed EXCEPT TABLE due) AS left_over
  ) AS differing
  ORDER BY session_id
  LIMIT $1`;
