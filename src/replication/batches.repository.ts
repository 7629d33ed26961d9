import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { Sql } from '../platform/database/sql.js';
import type { ReplicationOverview, ReplicationState } from './replication-state.js';
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_ENTRIES, takenEntries } from './taken-entries.js';

/** Payloads of more than a kilobyte, perhaps compressed, whose text is measured for a batch. */
const MAX_LARGE_EVENTS = 500;

/** Seconds after which another process may continue the work of one that says nothing. */
const CLAIM_SECONDS = 20;

const STATE_COLUMNS = `source, copy, copy_schema, next_copy, next_schema, batch, batch_kind, batch_seqs,
  batch_copy`;

/** Later than the last batch, also after a failover that lost some: the numbers are microseconds. */
const nextBatch = (number: string): string =>
  `greatest(batch + 1, coalesce(${number}, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint))`;
const NEXT_BATCH = nextBatch('NULL');

const NO_BATCH = `batch_kind = NULL, batch_seqs = NULL, batch_timestamp = NULL, batch_id = NULL, batch_copy = NULL`;

/** A batch that belongs to the copy that is being made, and ends with it. */
const IS_OF_NEXT = `batch_kind IN ('filled', 'completed')`;

/** The ids before and after all others. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** The batches of the replication in PostgreSQL: which process copies, what the batch in flight has, and what follows. */
@Injectable()
export class BatchesRepository {
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
}
