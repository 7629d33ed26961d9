import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { formatUtc, Sql } from '../platform/database/sql.js';

/** How far ClickHouse is behind PostgreSQL. */
export interface ReplicationStatus {
  /** Every event that was stored or removed until then is in the copy; null until the first copy is complete. */
  readonly as_of: string | null;
  readonly lag_seconds: number | null;
  /** Stored and removed events that are not copied yet. */
  readonly backlog_events: number;
  /** Whether a copy is being made. */
  readonly is_building: boolean;
}

/** Up to when a copy has every event. */
interface AsOf {
  readonly copy: string | null;
  readonly as_of: string | null;
}

const NEVER: AsOf = { copy: null, as_of: null };

/** Milliseconds for the status, which health and metrics wait for. */
const STATUS_TIMEOUT_MS = 1500;

/** Entries that are looked at to find the oldest one. */
const OLDEST_ENTRIES = 100;

/**
 * Every event that was stored or removed until then is in the copy, as SQL; null until the first copy is complete. It is now if
 * everything is copied. Otherwise it is what the last batch has left, or the moment before the oldest entry, which is later
 * after a time without events. Costs the same however much waits to be copied.
 */
const UNTIL = `CASE
  WHEN copy IS NULL THEN NULL
  WHEN oldest.entries = 0 THEN statement_timestamp()
  -- Entries beyond the oldest ones can be a moment older.
  ELSE greatest(as_of, oldest.at - CASE WHEN oldest.entries < ${OLDEST_ENTRIES} THEN interval '1 microsecond' ELSE interval '1 second' END)
END`;
const STATE_AND_OLDEST = `replication_state, (
  SELECT count(*) AS entries, min(at) AS at
  FROM (SELECT at FROM replication_log ORDER BY seq LIMIT ${OLDEST_ENTRIES}) AS entries
) AS oldest`;

/** How far the copy is, by the log and the state in PostgreSQL. */
@Injectable()
export class ReplicationStatusRepository {
  /** The latest that this process has answered. */
  private lastAsOf = NEVER;

  constructor(private readonly sql: Sql) {}

  /**
   * Every event that was stored or removed until then is in the copy; null until the first copy is complete. Never goes back
   * while a copy lives: an entry is a moment older than its commit, before which everything may have been copied.
   */
  async asOf(): Promise<string | null> {
    const { copy: knownCopy, as_of: known } = this.lastAsOf;
    const [row] = await this.sql.query<AsOf>(
      `SELECT copy, ${formatUtc(`until AT TIME ZONE 'UTC'`)} AS as_of
       FROM (
         SELECT copy, greatest(${UNTIL}, CASE WHEN copy = $1 THEN $2::timestamptz END) AS until
         FROM ${STATE_AND_OLDEST}
       ) AS state`,
      [knownCopy, known],
      { timeoutMs: STATUS_TIMEOUT_MS },
    );
    const latest = row ?? NEVER;
    // Of two answers that overlap, the older one may come last.
    if (latest.copy !== this.lastAsOf.copy || (latest.as_of ?? '') > (this.lastAsOf.as_of ?? ''))
      this.lastAsOf = latest;
    return latest.as_of;
  }

  /** The newest entry of the log: with those before it, what is stored and not copied yet. Undefined if everything is copied. */
  async newestEntry(): Promise<string | undefined> {
    const [row] = await this.sql.query<{ seq: string | null }>(
      'SELECT max(seq) AS seq FROM replication_log',
      [],
      {
        timeoutMs: environment.STORE_TIMEOUT,
      },
    );
    return row?.seq ?? undefined;
  }

  /** Whether an entry of the log, or one before it, is not copied yet. */
  async isWaiting(entry: string): Promise<boolean> {
    const [row] = await this.sql.query<{ waits: boolean }>(
      'SELECT EXISTS (SELECT FROM replication_log WHERE seq <= $1) AS waits',
      [entry],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return row?.waits === true;
  }

  async status(): Promise<ReplicationStatus> {
    const [row] = await this.sql.query<ReplicationStatus & { backlog_events: string | number }>(
      `SELECT ${formatUtc(`until AT TIME ZONE 'UTC'`)} AS as_of,
         greatest(extract(epoch FROM statement_timestamp() - until), 0)::float8 AS lag_seconds,
         backlog_events, is_building
       FROM (
         SELECT ${UNTIL} AS until, backlog_events, next_copy IS NOT NULL AS is_building
         FROM ${STATE_AND_OLDEST}, (SELECT coalesce(sum(events), 0) AS backlog_events FROM replication_log) AS log
       ) AS state`,
      [],
      { timeoutMs: STATUS_TIMEOUT_MS },
    );
    return { ...row, backlog_events: Number(row?.backlog_events) } as ReplicationStatus;
  }
}
