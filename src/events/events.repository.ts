import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityMetadata, Repository } from 'typeorm';
import { environment } from '../platform/config/environment.js';
import { selectUtc, Sql, type SqlOptions } from '../platform/database/sql.js';
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
  private readonly insertStatement: string;

  constructor(
    @InjectRepository(EventEntity) events: Repository<EventEntity>,
    private readonly sql: Sql,
    private readonly counts: EventCountsRepository,
  ) {
    this.insertStatement = insertStatement(events.metadata);
  }

  /**
   * Stores a batch in one statement; events that are stored already are skipped.
   *
   * One JSON parameter is the fastest input that also allows ON CONFLICT (measured in docs/benchmarks.md, against COPY), and
   * the payload of a job is exactly this parameter. Rows are inserted in the order of their ids, so that two workers with
   * the same events lock them in the same order and never deadlock, and so that indexes by time grow at their end.
   * @param batch text of a JSON array of NewEvent
   * @param withIds whether to return the ids of the events that were new, and not only their number
   */
  async insert(batch: string, withIds = false): Promise<{ stored: number; ids: string[] }> {
    const [result] = await this.sql.query<{ stored: number; ids: string[] | null }>(
      this.insertStatement,
      [batch, withIds],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return { stored: result?.stored ?? 0, ids: result?.ids ?? [] };
  }

  /** The events with these ids, in no particular order; ids that are not stored are left out. */
  findByIds(ids: string[]): Promise<StoredEvent[]> {
    // An id begins with its milliseconds, so the index on (timestamp, id) finds it within that one.
    const milliseconds = ids.map(millisecondsOf);
    return this.sql.query(
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
   */
  async find(
    filter: EventFilter,
    slice: Slice,
    { timeoutMs, signal }: SqlOptions = {},
  ): Promise<StoredEvent[]> {
    const select = (rows: KeysetQuery): Promise<StoredEvent[]> => {
      const { sql, parameters } = selectSlice(COLUMNS, rows, slice);
      return this.sql.query(sql, parameters, { timeoutMs, signal });
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
    return countRows((sql, parameters) => this.sql.query(sql, parameters), walked(filter));
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
}

/** The INSERT for a JSON array of NewEvent, with the columns of the entity. JSON holds a `bytea` as hex digits. */
function insertStatement({ tableName, columns }: EntityMetadata): string {
  const isBinary = ({ type }: EntityMetadata['columns'][number]): boolean => type === 'bytea';
  const names = columns.map(({ databaseName }) => databaseName);
  const values = columns.map((column) =>
    isBinary(column) ? `decode(${column.databaseName}, 'hex')` : column.databaseName,
  );
  const record = columns.map(
    (column) => `${column.databaseName} ${isBinary(column) ? 'text' : String(column.type)}`,
  );
  return `WITH stored AS (
      INSERT INTO ${tableName} (${names.join(', ')})
      SELECT ${values.join(', ')} FROM jsonb_to_recordset($1::jsonb) AS batch (${record.join(', ')})
      ORDER BY id
      ON CONFLICT DO NOTHING
      RETURNING id
    )
    SELECT count(*)::int AS stored, array_agg(id) FILTER (WHERE $2) AS ids FROM stored`;
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
