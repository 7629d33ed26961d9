import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import type { Changes } from '../platform/database/changes-keeper.js';
import { Sql, type Transaction } from '../platform/database/sql.js';

/** Any number that other users of the database are unlikely to lock: "EYEC" in ASCII. One folds or rebuilds at a time. */
const FOLD_LOCK = 0x45594543;

/** A count that is kept and a count of the events themselves, where they differ. */
export interface Difference {
  grain: string;
  block: string;
  /** UTC, when the time ends that is counted. */
  until: string;
  application: string;
  category: string;
  name: string;
  kept: number;
  counted: number;
}

/** Keeps what is kept of the counts in order. The functions that it calls are those of the migration. */
@Injectable()
export class EventCountsUpkeep implements Changes {
  readonly atOnce = 10_000;

  constructor(private readonly sql: Sql) {}

  async foldSome(limit: number): Promise<number> {
    const [folded] = await this.sql.query<{ changes: number }>(
      `WITH free AS MATERIALIZED (SELECT pg_try_advisory_xact_lock($1) AS mine),
         taken AS (
           DELETE FROM event_count_changes AS change
           WHERE ctid = ANY (ARRAY(SELECT event_count_changes.ctid FROM free, event_count_changes WHERE mine LIMIT $2))
           RETURNING change
         )
       SELECT count(*)::int AS changes, fold_event_counts(array_agg(change)) FROM taken`,
      [FOLD_LOCK, limit],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return folded?.changes ?? 0;
  }

  async sweep(): Promise<void> {
    await this.sql.query('VACUUM event_count_changes', [], { timeoutMs: environment.STORE_TIMEOUT });
  }

  /** Counts all events anew, in one snapshot, while workers go on storing; whoever counts sees the old counts meanwhile. */
  async rebuild(): Promise<void> {
    await this.sql.withLockedSnapshot(FOLD_LOCK, (transaction) =>
      transaction.query('SELECT rebuild_event_counts()'),
    );
  }

  /** Compares all counts with the events, a day at a time, in one snapshot. Stops after `limit` differences. */
  async verify(limit: number): Promise<Difference[]> {
    return this.sql.withLockedSnapshot(FOLD_LOCK, async (transaction) => {
      const differences = await compareMonths(transaction, limit);
      for (let day = await nextDay(transaction, '-infinity'); day !== null && differences.length < limit;) {
        differences.push(...(await compare(transaction, day, limit - differences.length)));
        day = await nextDay(transaction, day);
      }
      return differences;
    });
  }
}

/** The first day in UTC, after another one, of which there is an event or a count. */
async function nextDay(transaction: Transaction, day: string): Promise<string | null> {
  const [next] = await transaction.query<{ day: string | null }>(
    `WITH after AS (SELECT ($1::timestamp + interval '1 day') AS instant)
     SELECT date_trunc('day', least(
       (SELECT timestamp AT TIME ZONE 'UTC' FROM events, after
        WHERE timestamp >= instant AT TIME ZONE 'UTC' ORDER BY timestamp LIMIT 1),
       (SELECT min(minute) FROM event_count_changes, after WHERE minute >= instant),
       (SELECT min(ended) - interval '1 day' FROM after, event_counts, unnest(ends) AS ended
        WHERE grain = ANY (enum_range(NULL::event_count_grain)) AND block = 'month'
          AND start = date_trunc('month', instant) AND ended > instant),
       (SELECT min(first) FROM after,
          unnest(enum_range(NULL::event_count_grain)) AS grains (kind),
          unnest(ARRAY['hour', 'day', 'month']::event_count_block[]) AS blocks (length),
          LATERAL (
            SELECT start AS first FROM event_counts
            WHERE grain = kind AND block = length AND start >= instant ORDER BY start LIMIT 1
          ) AS found)
     ))::text AS day`,
    [day],
  );
  return next?.day ?? null;
}

/** Where the counts of a day are not what its events are: those of its minutes and hours, and what it adds to its month. */
async function compare(transaction: Transaction, day: string, limit: number): Promise<Difference[]> {
  return differencesOf(
    await transaction.query<Difference>(
      `WITH day AS (SELECT $1::timestamp AS start, $1::timestamp + interval '1 day' AS until),
     counted AS (
       SELECT blocks.* FROM (
         SELECT array_agg(ROW (minute, application, category, name, count)::event_count_changes) AS changes
         FROM (
           SELECT date_trunc('minute', timestamp AT TIME ZONE 'UTC') AS minute, application, category, name, count(*)
           FROM events, day
           WHERE timestamp >= start AT TIME ZONE 'UTC' AND timestamp < until AT TIME ZONE 'UTC'
           GROUP BY 1, 2, 3, 4
         ) AS minutes
       ) AS all_changes, event_count_blocks(changes) AS blocks
     ),
     waiting AS (
       SELECT blocks.* FROM (
         SELECT array_agg(change) AS changes FROM event_count_changes AS change, day WHERE minute >= start AND minute < until
       ) AS all_changes, event_count_blocks(changes) AS blocks
     ),
     kept AS (
       SELECT event_counts.* FROM event_counts, day
       WHERE grain = ANY (enum_range(NULL::event_count_grain)) AND (
          (block = 'hour' AND event_counts.start >= day.start AND event_counts.start < until)
          OR (block = 'day' AND event_counts.start = day.start)
          OR (block = 'month' AND event_counts.start = date_trunc('month', day.start)))
     ),
     slots AS (
       SELECT 0 AS kept, 1 AS counted, * FROM counted
       UNION ALL SELECT 1, 0, * FROM waiting
       UNION ALL SELECT 1, 0, * FROM kept
     )
     SELECT grain, block, ended::text AS until, application, category, name,
       sum(slots.kept * (counts[i] - coalesce(counts[i - 1], 0)))::bigint AS kept,
       sum(slots.counted * (counts[i] - coalesce(counts[i - 1], 0)))::bigint AS counted
     FROM slots, unnest(ends) WITH ORDINALITY AS slot (ended, i), day
     WHERE block <> 'ever' AND ended > day.start AND ended <= day.until
     GROUP BY grain, block, ended, application, category, name
     HAVING sum((slots.counted - slots.kept) * (counts[i] - coalesce(counts[i - 1], 0))) <> 0
     ORDER BY 3, 2, 1, 4, 5, 6
     LIMIT $2`,
      [day, limit],
    ),
  );
}

/** Where what a month adds to all time is not the sum of its days. */
async function compareMonths(transaction: Transaction, limit: number): Promise<Difference[]> {
  return differencesOf(
    await transaction.query<Difference>(
      `WITH slots AS (
         SELECT grain, block, ended, application, category, name, counts[i] - coalesce(counts[i - 1], 0) AS kept, 0 AS counted
         FROM event_counts, unnest(ends) WITH ORDINALITY AS slot (ended, i)
         WHERE block = 'ever'
         UNION ALL
         SELECT grain, 'ever', start + interval '1 month', application, category, name, 0, counts[cardinality(counts)]
         FROM event_counts
         WHERE block = 'month'
       )
       SELECT grain, block, ended::text AS until, application, category, name,
         sum(kept)::bigint AS kept, sum(counted)::bigint AS counted
       FROM slots
       GROUP BY grain, block, ended, application, category, name
       HAVING sum(kept) <> sum(counted)
       ORDER BY ended, grain, application, category, name
       LIMIT $1`,
      [limit],
    ),
  );
}

function differencesOf(rows: Difference[]): Difference[] {
  return rows.map((row) => ({
    ...row,
    kept: Number(row.kept),
    counted: Number(row.counted),
  }));
}
