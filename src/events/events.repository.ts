import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { environment } from '../platform/config/environment.js';
import { query, selectUtc } from '../platform/database/query.js';
import {
  countRows,
  isDescending,
  selectSlice,
  type Statement,
  type KeysetQuery,
} from '../platform/paging/keyset-query.js';
import type { Count, Slice } from '../platform/paging/page.js';
import { ALWAYS } from '../statistics/cuts.js';
import { EventCountsRepository } from '../statistics/event-counts.repository.js';
import { EventEntity } from './event.entity.js';
import { millisecondsOf } from '../platform/model/event-id.js';

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

/** What leaves, in this order. */
const COLUMNS = `id, application, session_id, category, name, data, ${selectUtc('timestamp')}`;

/** Of one application, so many events of a category are looked at for each that is asked for, and so many more at most. */
const NEAR = 4;
const NEAR_AT_MOST = 1000;

/** The events in PostgreSQL. All SQL about them stands here. */
@Injectable()
export class EventsRepository {
  constructor(
    @InjectRepository(EventEntity) private readonly events: Repository<EventEntity>,
    private readonly counts: EventCountsRepository,
  ) {}

  /**
   * Stores a batch in one statement; events that are stored already are left as they are.
   *
   * One JSON parameter is the fastest way in that can also say ON CONFLICT (see the design's measurements), and the
   * text of a job is just that parameter. Sorted by id, so that two workers with the same events take their locks in
   * the same order and never deadlock, and so that the indexes by time grow at their end.
   * @param batch text of a JSON array of NewEvent
   * @param tell whether to tell which ones were new, and not only how many
   */
  async insert(batch: string, tell = false): Promise<{ stored: number; ids: string[] }> {
    const rows = await this.query<{ stored: number; ids: string[] | null }>(
      `WITH stored AS (
         INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
         SELECT id, application, session_id, category, name, data, timestamp, decode(data_sha256, 'hex')
         FROM jsonb_to_recordset($1::jsonb) AS batch (
           id uuid, application text, session_id text, category text, name text, data jsonb, timestamp timestamptz, data_sha256 text
         )
         ORDER BY id
         ON CONFLICT DO NOTHING
         RETURNING id
       )
       SELECT count(*)::int AS stored, array_agg(id) FILTER (WHERE $2) AS ids FROM stored`,
      [batch, tell],
      environment.STORE_TIMEOUT,
    );
    return { stored: rows[0]?.stored ?? 0, ids: rows[0]?.ids ?? [] };
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

  /**
   * A slice of the matching events in their order; for a cursor to `previous`, in the opposite order.
   * @param gone says that nobody waits for it any more
   */
  async find(
    filter: EventFilter,
    slice: Slice,
    timeout?: number,
    gone?: AbortSignal,
  ): Promise<StoredEvent[]> {
    const select = (rows: KeysetQuery): Promise<StoredEvent[]> => {
      const { sql, parameters } = selectSlice(COLUMNS, rows, slice);
      return this.query(sql, parameters, timeout, gone);
    };
    const rows = walked(filter);
    if (!isScattered(filter) || !this.counts.areKept) return select(rows);
    // Mostly they are near. Else they may be anywhere among those of other applications, and the counts know where.
    const most = slice.limit + (slice.offset ?? 0);
    const near = await select({ ...rows, only: { first: Math.min(most * NEAR, most + NEAR_AT_MOST) } });
    if (near.length === slice.limit) return near;
    const { equality, residual } = rows;
    const minutes = this.minutesOf(filter, slice, most);
    return select({ ...rows, equality: {}, residual: { ...equality, ...residual }, only: { minutes } });
  }

  /** How many events match, by looking: exact up to a limit, and beyond it an estimate, so that no table is scanned. */
  count(filter: EventFilter): Promise<Count> {
    return countRows((sql, parameters) => this.query(sql, parameters), walked(filter));
  }

  /** What names the minutes that hold a slice, by the counts that are kept. */
  private minutesOf(
    { application, category, name, timestamp_after, timestamp_before }: EventFilter,
    slice: Slice,
    most: number,
  ): Statement {
    const latestFirst = isDescending(slice);
    const place = slice.cursor?.timestamp;
    const range = {
      from: (latestFirst ? undefined : place) ?? timestamp_after ?? ALWAYS.from,
      to: (latestFirst ? place : undefined) ?? timestamp_before ?? ALWAYS.to,
    };
    return this.counts.minutes({ application, category, name }, range, most, latestFirst);
  }

  private query<Row>(
    sql: string,
    parameters: unknown[],
    timeout?: number,
    gone?: AbortSignal,
  ): Promise<Row[]> {
    return query<Row>(this.events.manager, sql, parameters, timeout, gone);
  }
}

/** Whether what is asked for may lie far apart in the index that serves it: what one application sent of a category or name. */
const isScattered = ({ application, session_id, category, name }: EventFilter): boolean =>
  application !== undefined && session_id === undefined && (category ?? name) !== undefined;

/** Which index serves a filter; a session is rare enough that its events may be looked at one by one. */
function walked(filter: EventFilter): KeysetQuery {
  const { application, session_id, category, name, timestamp_after, timestamp_before } = filter;
  const isType = category !== undefined || name !== undefined;
  const [equality, residual] =
    session_id !== undefined
      ? [{ session_id }, { application, category, name }]
      : isType
        ? [{ category, name }, { application }]
        : [{ application }, {}];
  return {
    table: 'events',
    orderColumn: 'timestamp',
    equality,
    residual,
    after: timestamp_after,
    before: timestamp_before,
  };
}
