import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { environment } from '../config/environment.js';
import { query } from '../database/query.js';
import { EventEntity } from './event.entity.js';
import type { Cursor } from './event/cursor.js';
import { millisecondsOf } from './event/identity.js';

/** An event as it leaves. */
export interface StoredEvent {
  id: string;
  application: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  /** UTC with six fractional digits. */
  timestamp: string;
}

export interface EventFilter {
  application?: string;
  session_id?: string;
  category?: string;
  name?: string;
  /** Canonical timestamps, both inclusive. */
  timestamp_after?: string;
  timestamp_before?: string;
}

/** Which part of the matching events: from a place in the list, or a number of rows into it. */
export interface Slice {
  order: 'timestamp' | '-timestamp';
  limit: number;
  cursor?: Cursor;
  offset?: number;
}

/** What leaves, in this order. The timestamp is spelt by PostgreSQL: a Date would drop its microseconds. */
const COLUMNS = `id, application, session_id, category, name, data,
  to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp`;

/** Beyond this many, `count` is an estimate: counting reads one index entry an event. */
export const EXACT_COUNT = 10_000;

/** The events in PostgreSQL. All SQL about them stands here. */
@Injectable()
export class EventsRepository {
  constructor(@InjectRepository(EventEntity) private readonly events: Repository<EventEntity>) {}

  /**
   * Stores a batch in one statement; events that are stored already are left as they are.
   *
   * One JSON parameter is the fastest way in that can also say ON CONFLICT (see the design's measurements), and the
   * text of a job is just that parameter. Sorted by id, so that two workers with the same events take their locks in
   * the same order and never deadlock, and so that the indexes by time grow at their end.
   * @param batch text of a JSON array of NewEvent
   * @returns how many were new
   */
  async insert(batch: string): Promise<number> {
    const rows = await this.query<{ stored: number }>(
      `WITH stored AS (
         INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
         SELECT id, application, session_id, category, name, data, timestamp, decode(data_sha256, 'hex')
         FROM jsonb_to_recordset($1::jsonb) AS batch (
           id uuid, application text, session_id text, category text, name text, data jsonb, timestamp timestamptz, data_sha256 text
         )
         ORDER BY id
         ON CONFLICT DO NOTHING
         RETURNING 1
       )
       SELECT count(*)::int AS stored FROM stored`,
      [batch],
      environment.STORE_TIMEOUT,
    );
    return rows[0]?.stored ?? 0;
  }

  /** The events with these ids, in no particular order; ids that are not stored are left out. */
  findByIds(ids: string[]): Promise<StoredEvent[]> {
    // An id begins with its milliseconds, so the index on (timestamp, id) finds it within that one.
    const milliseconds = ids.map(millisecondsOf);
    return this.query(
      `SELECT ${COLUMNS}
       FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS wanted (wanted_id, first, next)
       JOIN events ON id = wanted_id AND events.timestamp >= first AND events.timestamp < next`,
      [
        ids,
        milliseconds.map((ms) => (ms === 0 ? '-infinity' : new Date(ms).toISOString())),
        milliseconds.map((ms) => new Date(ms + 1).toISOString()),
      ],
    );
  }

  /** A slice of the matching events in their order; for a cursor to `previous`, in the opposite order. */
  find(filter: EventFilter, slice: Slice): Promise<StoredEvent[]> {
    const { cursor } = slice;
    const backwards = cursor?.direction === 'previous';
    const descending = (slice.order === '-timestamp') !== backwards;
    const walk = new IndexWalk(filter, cursor && { operator: descending ? '<' : '>', place: cursor });
    const limit = walk.parameter(slice.limit);
    const offset = walk.parameter(slice.offset ?? 0);
    return this.query(
      `SELECT ${COLUMNS} FROM events ${walk.where()} ${walk.orderBy(descending ? 'DESC' : 'ASC')}
       LIMIT ${limit} OFFSET ${offset}`,
      walk.parameters,
    );
  }

  /** How many events match: exact up to EXACT_COUNT, and beyond it the planner's estimate, so that no table is scanned. */
  async count(filter: EventFilter): Promise<{ count: number; isEstimate: boolean }> {
    const walk = new IndexWalk(filter);
    const [counted] = await this.query<{ count: number }>(
      `SELECT count(*)::int AS count
       FROM (SELECT 1 FROM events ${walk.where()} ${walk.orderBy('DESC')} LIMIT ${EXACT_COUNT + 1}) AS matching`,
      walk.parameters,
    );
    const count = counted?.count ?? 0;
    if (count <= EXACT_COUNT) return { count, isEstimate: false };
    const [explained] = await this.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
      `EXPLAIN (FORMAT JSON) SELECT 1 FROM events WHERE ${plainConditions(filter)}`,
      Object.values(filter).filter((value) => value !== undefined),
    );
    return { count: Math.max(explained?.['QUERY PLAN'][0].Plan['Plan Rows'] ?? 0, count), isEstimate: true };
  }

  private query<Row>(
    sql: string,
    parameters: unknown[],
    timeout = environment.QUERY_TIMEOUT,
  ): Promise<Row[]> {
    return query<Row>(this.events.manager, sql, parameters, timeout);
  }
}

/**
 * The conditions and the order that walk one index from one end of the matching events to the other: the columns that
 * are asked for by equality, then timestamp and id.
 *
 * Equality is spelt as two ends of a range over whole rows of the index, and the order names the leading columns too.
 * With plain equality the planner may as well read the index on time alone and throw away what does not match, which it
 * does for a frequent category, and which reads the whole table when that category has not occurred for a while.
 */
class IndexWalk {
  readonly parameters: unknown[] = [];
  private readonly leading: Record<string, string>;
  private readonly conditions: string[];

  /** @param beyond a place in the list to begin after, to its older (`<`) or newer (`>`) side */
  constructor(filter: EventFilter, beyond?: { operator: '<' | '>'; place: Cursor }) {
    const { application, session_id, category, name, timestamp_after, timestamp_before } = filter;
    const isType = category !== undefined || name !== undefined;
    const [leading, others] =
      session_id !== undefined
        ? [{ session_id }, { application, category, name }]
        : isType
          ? [{ category, name }, { application }]
          : [{ application }, {}];
    this.leading = this.placeholders(leading);
    const filtered = this.placeholders(others);
    // One condition an end, since of two PostgreSQL may start at the wider. A place lies within the bounds.
    const end = (operator: '<' | '>', timestamp: string | undefined): string =>
      beyond?.operator === operator
        ? this.compare(operator, { timestamp: beyond.place.timestamp, id: beyond.place.id })
        : this.compare(`${operator}=`, { timestamp });
    this.conditions = [
      end('>', timestamp_after),
      end('<', timestamp_before),
      ...Object.entries(filtered).map(([column, value]) => `${column} = ${value}`),
    ].filter((condition) => condition !== '');
  }

  parameter(value: unknown): string {
    this.parameters.push(value);
    return `$${this.parameters.length}`;
  }

  where(): string {
    return this.conditions.length === 0 ? '' : `WHERE ${this.conditions.join(' AND ')}`;
  }

  orderBy(direction: 'ASC' | 'DESC'): string {
    const columns = [...Object.keys(this.leading), 'timestamp', 'id'];
    return `ORDER BY ${columns.map((column) => `events.${column} ${direction}`).join(', ')}`;
  }

  private compare(operator: string, place: Record<string, string | undefined>): string {
    const row = { ...this.leading, ...this.placeholders(place) };
    if (Object.keys(row).length === 0) return '';
    const columns = Object.keys(row).map((column) => `events.${column}`);
    return `(${columns.join(', ')}) ${operator} (${Object.values(row).join(', ')})`;
  }

  private placeholders(values: Record<string, string | undefined>): Record<string, string> {
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    return Object.fromEntries(given.map(([column, value]) => [column, this.parameter(value)]));
  }
}

/** The conditions as the planner's statistics know them. */
function plainConditions(filter: EventFilter): string {
  const comparisons: Record<keyof EventFilter, string> = {
    application: 'application =',
    session_id: 'session_id =',
    category: 'category =',
    name: 'name =',
    timestamp_after: 'timestamp >=',
    timestamp_before: 'timestamp <=',
  };
  const given = (Object.keys(filter) as (keyof EventFilter)[]).filter((key) => filter[key] !== undefined);
  return ['true', ...given.map((key, index) => `${comparisons[key]} $${index + 1}`)].join(' AND ');
}
