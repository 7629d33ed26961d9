import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { Sql, type Transaction } from '../platform/database/sql.js';
import type { ReplicationState } from './replication-state.js';
import { takenEntries } from './taken-entries.js';

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

export type Query = Transaction['query'];

const microsecondsSql = (timestamp: string): string =>
  `(extract(epoch FROM ${timestamp}) * 1000000)::bigint::text`;

/** A line of JSON for an event. PostgreSQL makes it: in Node.js, a batch would take several times as long. */
const LINE = `'{"id":"' || events.id || '","timestamp":' || ${microsecondsSql('events.timestamp')}
  || ',"application":' || to_json(application) || ',"category":' || to_json(category) || ',"name":' || to_json(name)
  || ',"session_id":' || to_json(session_id) || ',"data_text":' || to_json(data::text) || ',"batch":' || $1 || E'}\n'`;

/** Reads the events of a batch from PostgreSQL. */
@Injectable()
export class BatchEventsRepository {
  constructor(private readonly sql: Sql) {}

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

  private readonly query: Query = (text, parameters) =>
    this.sql.query(text, parameters, { timeoutMs: environment.STORE_TIMEOUT });
}
