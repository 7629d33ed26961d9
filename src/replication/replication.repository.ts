import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { formatUtc, Sql, type Transaction } from '../platform/database/sql.js';

/** Events of one batch, and of one that removes them. */
export const MAX_BATCH_EVENTS = 10_000;
const MAX_REMOVED_EVENTS = 5000;

/**
 * Bytes of the payloads of a batch, as text, of which ClickHouse needs up to fifteen times the memory. PostgreSQL stores them in less: it
 * compresses a repeated text to a hundredth. The trigger that fills the log cuts its entries by the same number.
 */
const MAX_BATCH_BYTES = 4 * 1024 * 1024;

/** Payloads of more than a kilobyte, perhaps compressed, whose text is measured for a batch. */
const MAX_LARGE_EVENTS = 500;

/** Milliseconds for the status, which health and metrics wait for. */
const STATUS_TIMEOUT_MS = 1500;

/** Entries of the log that are looked at for a batch. */
const MAX_ENTRIES = 10_000;

/** Seconds after which another process may continue the work of one that says nothing. */
const CLAIM_SECONDS = 20;

export type BatchKind = 'stored' | 'removed' | 'emptied' | 'filled' | 'completed';

/** The row of replication_state. */
export interface ReplicationState {
  readonly source: string;
  /** The copy that answers questions; null until the first is complete. */
  readonly copy: string | null;
  readonly copy_schema: string | null;
  /** The copy that is being made. */
  readonly next_copy: string | null;
  readonly next_schema: string | null;
  /** Number of the last batch. */
  readonly batch: string;
  /** Kind of the batch in flight; null if there is none. */
  readonly batch_kind: BatchKind | null;
  /** The entries of the log that it copies; null if it copies none. */
  readonly batch_seqs: string[] | null;
  /** The copy that an `emptied` or `completed` batch puts in place. */
  readonly batch_copy: string | null;
}

/** Beside the state, whether there is anything to do. */
export interface ReplicationOverview extends ReplicationState {
  readonly has_entries: boolean;
}

/** The events of a batch, as lines of JSON. */
export interface EventLines {
  /** For the copy that answers questions. */
  readonly current: string | null;
  /** For the copy that is being made. It finds the others later. */
  readonly next: string | null;
  /** Number of events in either. */
  readonly events: number;
}

/** Events that are read before their batch begins. */
export interface EventsAhead {
  /** Its number and its entries, if nothing comes between. */
  readonly batch: string;
  readonly seqs: readonly string[];
  readonly lines: EventLines;
}

export interface RemovedKey {
  readonly id: string;
  readonly timestamp: string;
}

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

export type Query = Transaction['query'];

const STATE_COLUMNS = `source, copy, copy_schema, next_copy, next_schema, batch, batch_kind, batch_seqs,
  batch_copy`;

/** Later than the last batch, also after a failover that lost some: the numbers are microseconds. */
const nextBatch = (number: string): string =>
  `greatest(batch + 1, coalesce(${number}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint))`;
const NEXT_BATCH = nextBatch('NULL');

/**
 * The oldest of the permitted entries, as many of one kind as fit into a batch, as the row `taken`, with the moment before
 * which there are no others.
 */
const takenEntries = (isPermitted: string): string => `
  WITH visible AS (
    SELECT seq, kind, events, bytes, at, is_permitted,
      min(seq) FILTER (WHERE is_permitted) OVER () AS first
    FROM (
      SELECT seq, kind, events, bytes, at, ${isPermitted} AS is_permitted
      FROM replication_log ORDER BY seq LIMIT ${MAX_ENTRIES}
    ) AS entries
  ),
  of_kind AS (
    SELECT visible.*, (SELECT kind FROM visible WHERE seq = first LIMIT 1) AS first_kind FROM visible
  ),
  summed AS (
    SELECT seq, at, first_kind,
      is_permitted AND count(*) FILTER (WHERE is_permitted AND kind <> first_kind) OVER before = 0
        AND (
          count(*) FILTER (WHERE is_permitted) OVER before = 1
          OR sum(bytes) FILTER (WHERE is_permitted) OVER before <= ${MAX_BATCH_BYTES}
            AND sum(events) FILTER (WHERE is_permitted) OVER before
              <= CASE first_kind WHEN 'removed' THEN ${MAX_REMOVED_EVENTS} ELSE ${MAX_BATCH_EVENTS} END
        ) AS is_taken
    FROM of_kind
    WINDOW before AS (ORDER BY seq)
  ),
  taken AS (
    SELECT min(first_kind) AS first_kind, array_agg(seq ORDER BY seq) FILTER (WHERE is_taken) AS seqs,
      -- The entries beyond MAX_ENTRIES can be a moment older than those before.
      least(statement_timestamp(), min(at) FILTER (WHERE NOT is_taken) - interval '1 second') AS as_of
    FROM summed
  )`;

const microsecondsSql = (timestamp: string): string =>
  `(extract(epoch FROM ${timestamp}) * 1000000)::bigint::text`;

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

/** A line of JSON for an event. PostgreSQL makes it: in Node.js, a batch would take several times as long. */
const LINE = `'{"id":"' || events.id || '","timestamp":' || ${microsecondsSql('events.timestamp')}
  || ',"application":' || to_json(application) || ',"category":' || to_json(category) || ',"name":' || to_json(name)
  || ',"session_id":' || to_json(session_id) || ',"data_text":' || to_json(data::text) || ',"batch":' || $1 || E'}\n'`;

const NO_BATCH = `batch_kind = NULL, batch_seqs = NULL, batch_timestamp = NULL, batch_id = NULL, batch_copy = NULL`;

/** A batch that belongs to the copy that is being made, and ends with it. */
const IS_OF_NEXT = `batch_kind IN ('filled', 'completed')`;

/** The ids before and after all others. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** What PostgreSQL knows of the replication: the log, the state, and the events to be copied. */
@Injectable()
export class ReplicationRepository {
  /** The latest that this process has answered. */
  private lastAsOf = NEVER;

  constructor(private readonly sql: Sql) {}

  async overview(): Promise<ReplicationOverview> {
    const [row] = await this.sql.query<ReplicationOverview>(
      `SELECT ${STATE_COLUMNS}, EXISTS (SELECT FROM replication_log) AS has_entries FROM replication_state`,
    );
    return row as ReplicationOverview;
  }

  /** Takes the work for CLAIM_SECONDS. @returns undefined while another process has it */
  async claim(owner: string): Promise<ReplicationState | undefined> {
    const [row] = await this.sql.query<ReplicationState>(
      `UPDATE replication_state
       SET claimed_by = $1, claimed_until = clock_timestamp() + interval '${CLAIM_SECONDS} seconds'
       WHERE claimed_by = $1 OR claimed_until < clock_timestamp()
       RETURNING ${STATE_COLUMNS}`,
      [owner],
    );
    return row;
  }

  async release(owner: string): Promise<void> {
    await this.sql.query(`UPDATE replication_state SET claimed_until = '-infinity' WHERE claimed_by = $1`, [
      owner,
    ]);
  }

  /**
   * Begins a batch of the oldest entries: as many of one kind as fit. The entries and the moment before which there are no
   * others come from one snapshot.
   * @param copy the new copy, in case the events were emptied
   * @param only the entries that may be taken, instead of all
   * @param number of the batch, if it is later than the last one
   * @returns undefined if there are no entries, or if the claim is lost
   */
  async beginEntries(
    { batch }: ReplicationState,
    owner: string,
    copy: string,
    only: readonly string[] | null = null,
    number: string | null = null,
  ): Promise<ReplicationState | undefined> {
    const [row] = await this.sql.query<ReplicationState>(
      `${takenEntries('$4::bigint[] IS NULL OR seq = ANY ($4)')}
       UPDATE replication_state
       SET batch = ${nextBatch('$5::bigint')}, batch_kind = first_kind, batch_seqs = seqs, batch_as_of = taken.as_of,
         batch_copy = CASE first_kind WHEN 'emptied' THEN $3::uuid END,
         claimed_until = clock_timestamp() + interval '${CLAIM_SECONDS} seconds'
       FROM taken
       WHERE seqs IS NOT NULL AND claimed_by = $1 AND batch = $2 AND batch_kind IS NULL
       RETURNING ${STATE_COLUMNS}`,
      [owner, batch, copy, only, number],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return row;
  }

  /**
   * Reads the events of the batch that follows the one in flight, so that PostgreSQL and ClickHouse work at the same time. One
   * that is removed before its batch begins is removed by a later one.
   * @returns undefined if there are no more stored events, or others come first
   */
  async readAhead({ batch_seqs }: ReplicationState): Promise<EventsAhead | undefined> {
    const [next] = await this.query<{ seqs: string[]; batch: string }>(
      `${takenEntries('seq <> ALL ($1::bigint[])')}
       SELECT seqs, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS batch
       FROM taken WHERE first_kind = 'stored' AND seqs IS NOT NULL`,
      [batch_seqs],
    );
    if (!next) return undefined;
    const { batch, seqs } = next;
    return { batch, seqs, lines: await this.storedEvents({ batch, batch_seqs: seqs }) };
  }

  /**
   * Begins a batch of the next events, by key, that the copy that is being made lacks; or its completion, if there are none.
   * @returns undefined if the claim is lost
   */
  async beginFill({ batch }: ReplicationState, owner: string): Promise<ReplicationState | undefined> {
    const [row] = await this.sql.query<ReplicationState>(
      `WITH chunk AS (
         SELECT timestamp, id, sum(bytes) OVER (ORDER BY timestamp, id) AS bytes, row_number() OVER (ORDER BY timestamp, id) AS n
         FROM (
           SELECT timestamp, id,
             CASE WHEN stored <= ${MAX_BATCH_BYTES} AND large <= ${MAX_LARGE_EVENTS} THEN octet_length(data::text)
               ELSE ${MAX_BATCH_BYTES} END AS bytes
           FROM (
             SELECT events.*, sum(size) OVER so_far AS stored, count(*) FILTER (WHERE size > 1000) OVER so_far AS large
             FROM replication_state, LATERAL (
               SELECT timestamp, id, data, pg_column_size(data) AS size FROM events
               WHERE (timestamp, id) > (next_timestamp, next_id) ORDER BY timestamp, id LIMIT ${MAX_BATCH_EVENTS}
             ) AS events
             WINDOW so_far AS (ORDER BY events.timestamp, events.id)
           ) AS sizes
         ) AS keys
       ),
       counted AS (
         SELECT count(*) < ${MAX_BATCH_EVENTS} AND coalesce(max(bytes), 0) <= ${MAX_BATCH_BYTES} AS is_last,
           max(n) FILTER (WHERE n = 1 OR bytes <= ${MAX_BATCH_BYTES}) AS n,
           (SELECT min(at) FROM replication_log) AS oldest
         FROM chunk
       ),
       until AS (
         SELECT is_last, oldest, timestamp, id FROM counted LEFT JOIN chunk USING (n)
       )
       UPDATE replication_state
       SET batch = ${NEXT_BATCH},
         batch_kind = CASE WHEN next_timestamp = 'infinity' THEN 'completed' ELSE 'filled' END,
         batch_copy = CASE WHEN next_timestamp = 'infinity' THEN next_copy END,
         (batch_timestamp, batch_id) = (
           SELECT CASE WHEN is_last THEN 'infinity' ELSE until.timestamp END,
             CASE WHEN is_last THEN '${LAST_ID}' ELSE until.id END
         ),
         batch_as_of = CASE
           WHEN next_timestamp = 'infinity' THEN least(statement_timestamp(), oldest)
           ELSE replication_state.as_of
         END,
         claimed_until = clock_timestamp() + interval '${CLAIM_SECONDS} seconds'
       FROM until
       WHERE claimed_by = $1 AND batch = $2 AND batch_kind IS NULL AND next_copy IS NOT NULL
       RETURNING ${STATE_COLUMNS}`,
      [owner, batch],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return row;
  }

  /** The events of a batch of entries. One that was removed meanwhile is missing; its removal is in the log. */
  async storedEvents(
    { batch, batch_seqs }: Pick<ReplicationState, 'batch' | 'batch_seqs'>,
    query: Query = this.query,
  ): Promise<EventLines> {
    const [lines] = await query<EventLines>(
      `SELECT string_agg(line, '') FILTER (WHERE in_current) AS current, string_agg(line, '') FILTER (WHERE in_next) AS next,
         count(*) FILTER (WHERE in_current OR in_next)::int AS events
       FROM (
         SELECT ${LINE} AS line, copy IS NOT NULL AS in_current,
           (events.timestamp, events.id) <= (next_timestamp, next_id) AS in_next
         FROM replication_state,
         replication_log,
         unnest(ids, timestamps) AS stored (id, timestamp),
         LATERAL (
           SELECT * FROM events WHERE (events.timestamp, events.id) = (stored.timestamp, stored.id) OFFSET 0
         ) AS events
         WHERE seq = ANY ($2) AND (copy IS NOT NULL OR (events.timestamp, events.id) <= (next_timestamp, next_id))
       ) AS lines`,
      [batch, batch_seqs],
    );
    return lines as EventLines;
  }

  removedKeys({ batch_seqs }: ReplicationState, query: Query = this.query): Promise<RemovedKey[]> {
    return query<RemovedKey>(
      `SELECT removed.id, ${microsecondsSql('removed.timestamp')} AS timestamp
       FROM replication_log, unnest(ids, timestamps) AS removed (id, timestamp)
       WHERE seq = ANY ($1)`,
      [batch_seqs],
    );
  }

  /** The events of a batch that fills a copy, without those that are in the log, which follow with it. */
  async filledEvents({ batch }: ReplicationState): Promise<EventLines> {
    const [lines] = await this.query<EventLines>(
      `WITH pending AS MATERIALIZED (
         SELECT unnest(ids) AS id FROM replication_log WHERE kind = 'stored'
       ),
       events AS MATERIALIZED (
         SELECT events.*
         FROM replication_state, LATERAL (
           SELECT * FROM events
           WHERE (timestamp, id) > (next_timestamp, next_id) AND (timestamp, id) <= (batch_timestamp, batch_id)
           ORDER BY timestamp, id
           OFFSET 0
         ) AS events
       )
       SELECT NULL AS current, string_agg(${LINE}, '') AS next, count(*)::int AS events
       FROM events
       WHERE NOT EXISTS (SELECT FROM pending WHERE pending.id = events.id)`,
      [batch],
    );
    return lines as EventLines;
  }

  /**
   * Ends the batch in flight: ClickHouse has it. Does nothing if another process has ended it.
   * @param schema of the copy that an `emptied` or `completed` batch has put in place
   */
  async finish({ batch }: ReplicationState, schema: string): Promise<void> {
    await this.sql.query(
      `WITH done AS (
         SELECT batch_seqs FROM replication_state WHERE batch = $1 AND batch_kind IS NOT NULL FOR UPDATE
       ),
       state AS (
         UPDATE replication_state
         SET as_of = CASE WHEN coalesce(batch_copy, copy) IS NOT NULL THEN greatest(as_of, batch_as_of) END,
           copy = coalesce(batch_copy, copy),
           copy_schema = CASE WHEN batch_copy IS NULL THEN copy_schema ELSE $2 END,
           next_copy = CASE WHEN batch_copy IS NULL THEN next_copy END,
           next_schema = CASE WHEN batch_copy IS NULL THEN next_schema END,
           next_timestamp = CASE WHEN batch_copy IS NULL THEN coalesce(batch_timestamp, next_timestamp) END,
           next_id = CASE WHEN batch_copy IS NULL THEN coalesce(batch_id, next_id) END,
           ${NO_BATCH}
         FROM done
         WHERE batch = $1 AND batch_kind IS NOT NULL
         RETURNING done.batch_seqs AS seqs
       )
       DELETE FROM replication_log USING state WHERE seq = ANY (state.seqs)`,
      [batch, schema],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
  }

  /**
   * Begins another copy, which replaces the one that is being made. The one that answers questions stays, unless ClickHouse
   * has lost it. A batch of entries stays in flight, because ClickHouse may have it.
   */
  async startCopy(
    { batch }: ReplicationState,
    copy: string,
    schema: string,
    isLost: boolean,
  ): Promise<ReplicationState | undefined> {
    const [row] = await this.sql.query<ReplicationState>(
      `UPDATE replication_state
       SET next_copy = $2, next_schema = $3, next_timestamp = '-infinity', next_id = '${FIRST_ID}',
         copy = CASE WHEN NOT $4 THEN copy END, copy_schema = CASE WHEN NOT $4 THEN copy_schema END,
         as_of = CASE WHEN NOT $4 THEN as_of END,
         batch_kind = CASE WHEN NOT ${IS_OF_NEXT} THEN batch_kind END,
         batch_copy = CASE WHEN NOT ${IS_OF_NEXT} THEN batch_copy END,
         batch_timestamp = NULL, batch_id = NULL
       WHERE batch = $1
       RETURNING ${STATE_COLUMNS}`,
      [batch, copy, schema, isLost],
    );
    return row;
  }

  /** Forgets some of the log where there is no ClickHouse: a copy will begin with all events. @returns how many entries */
  async forget(limit = MAX_ENTRIES): Promise<number> {
    const [row] = await this.sql.query<{ forgotten: number }>(
      `WITH state AS (
         UPDATE replication_state
         SET copy = NULL, copy_schema = NULL, next_copy = NULL, next_schema = NULL, next_timestamp = NULL, next_id = NULL,
           as_of = NULL, batch = ${NEXT_BATCH}, ${NO_BATCH}
         RETURNING single_row
       ),
       forgotten AS (
         DELETE FROM replication_log USING state
         WHERE seq = ANY (ARRAY(SELECT seq FROM replication_log ORDER BY seq LIMIT $1))
         RETURNING seq
       )
       SELECT count(*)::int AS forgotten FROM forgotten`,
      [limit],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return row?.forgotten ?? 0;
  }

  /** Gives back the room of copied entries at once: whoever looks for the oldest one reads past it. */
  async vacuum(): Promise<void> {
    await this.sql.query('VACUUM replication_log', [], { timeoutMs: environment.STORE_TIMEOUT });
  }

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
    const [row] = await this.query<{ seq: string | null }>('SELECT max(seq) AS seq FROM replication_log', []);
    return row?.seq ?? undefined;
  }

  /** Whether an entry of the log, or one before it, is not copied yet. */
  async isWaiting(entry: string): Promise<boolean> {
    const [row] = await this.query<{ waits: boolean }>(
      'SELECT EXISTS (SELECT FROM replication_log WHERE seq <= $1) AS waits',
      [entry],
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

  /** Runs `work` in one snapshot, which its first statement takes. One process at a time does. */
  inSnapshot<Result>(work: (query: Query) => Promise<Result>): Promise<Result> {
    return this.sql.withLockedSnapshot(VERIFY_LOCK, (transaction) =>
      work((text, parameters) => transaction.query(text, parameters)),
    );
  }

  private readonly query: Query = (text, parameters) =>
    this.sql.query(text, parameters, { timeoutMs: environment.STORE_TIMEOUT });
}

/** Any number that other users of the database are unlikely to lock: "EYER" in ASCII. One verifies at a time. */
const VERIFY_LOCK = 0x45594552;
