import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { randomUUID } from 'node:crypto';
import { type EntityMetadata, Repository } from 'typeorm';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { formatUtc, ReadSql, selectUtc, Sql, type SqlOptions } from '../platform/database/sql.js';
import {
  createEvent,
  type EventFilter,
  type StoredEvent,
  type StoredEventText,
} from '../platform/model/event.js';
import { millisecondsOf } from '../platform/model/event-id.js';
import { readBoundedSlice } from '../platform/paging/bounded-slice.js';
import { countRows, selectSlice, type KeysetQuery } from '../platform/paging/keyset-query.js';
import type { Count, Slice, SliceRows } from '../platform/paging/page.js';
import { EventEntity } from './event.entity.js';

/** The columns of a stored event, in the order of a response. */
const columnsWith = (data: string): string =>
  `id, application, session_id, category, name, ${data}, ${selectUtc('timestamp')}`;
const COLUMNS = columnsWith('data');
const TEXT_COLUMNS = columnsWith('data::text AS data');

/** The result of storing a batch. */
interface Inserted {
  /** How many events were new. */
  stored: number;
  /** Their ids, if they were requested. */
  ids: string[];
  /** Of each application in the batch, how many events were sent, and how many of them were new. */
  byApplication: { application: string; sent: number; added: number }[];
}

/** The table of events. All SQL about it is here. */
@Injectable()
export class EventsRepository {
  private insertStatement: string | undefined;

  constructor(
    @InjectRepository(EventEntity) private readonly events: Repository<EventEntity>,
    private readonly sql: Sql,
    private readonly readSql: ReadSql,
  ) {}

  /**
   * Stores a batch in one statement; events that are stored already are skipped.
   *
   * One JSON parameter is the fastest input that also allows ON CONFLICT (measured in docs/benchmarks.md, against COPY), and
   * what is queued becomes this parameter without being parsed. Rows are inserted in the order of their ids, so that two workers with
   * the same events lock them in the same order and never deadlock, and so that indexes by time grow at their end.
   * @param batch text of a JSON array of NewEvent
   * @param withIds whether to return the ids of the events that were new, and not only their number
   */
  async insert(batch: string, withIds = false): Promise<Inserted> {
    const [result] = await this.sql.query<{ [Field in keyof Inserted]: Inserted[Field] | null }>(
      this.insertText,
      [batch, withIds],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return {
      stored: result?.stored ?? 0,
      ids: result?.ids ?? [],
      byApplication: result?.byApplication ?? [],
    };
  }

  /**
   * Whether an ordinary event could be stored now, tried in a transaction that is rolled back.
   * @throws DatabaseUnavailableError
   */
  async canStore(): Promise<boolean> {
    const now = new Date();
    const event = createEvent('the-eye', {
      session_id: randomUUID(),
      category: 'the-eye',
      name: 'rehearsal',
      data: { value: {}, canonical: '{}', growth: 0 },
      timestamp: { text: now.toISOString().replace('Z', '000Z'), milliseconds: now.getTime() },
    });
    try {
      await this.sql.rehearse(this.insertText, [`[${event.text}]`, false], {
        timeoutMs: environment.STORE_TIMEOUT,
      });
      return true;
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) throw error;
      return false;
    }
  }

  async findById(id: string): Promise<StoredEvent | undefined> {
    const [event] = await this.readSql.query<StoredEvent>(...selectByIds(COLUMNS, [id]));
    return event;
  }

  /** Which of these ids are stored, for senders who wait for them. */
  async findStored(ids: readonly string[]): Promise<string[]> {
    const rows = await this.sql.query<{ id: string }>(...selectByIds('id', ids));
    return rows.map(({ id }) => id);
  }

  /**
   * Reads a slice of the matching events in their order; for a cursor to `previous`, in the opposite order. It ends early
   * if the events are large.
   */
  async find(
    filter: EventFilter,
    slice: Slice,
    { timeoutMs, signal }: SqlOptions = {},
  ): Promise<SliceRows<StoredEventText>> {
    const query = keysetQuery(filter);
    return readBoundedSlice({
      slice,
      select: (part) => selectSlice(TEXT_COLUMNS, query, part),
      bytes: 'octet_length(data)',
      cursorKey: ({ timestamp, id }) => ({ timestamp, id }),
      run: ({ sql, parameters }) => this.readSql.query(sql, parameters, { timeoutMs, signal }),
    });
  }

  /** The canonical timestamps of the first and the last event of a session; undefined if there is none. */
  async spanOf(sessionId: string): Promise<{ first: string; last: string } | undefined> {
    const at = (aggregate: string): string => formatUtc(`${aggregate}(timestamp) AT TIME ZONE 'UTC'`);
    const [span] = await this.readSql.query<{ first: string | null; last: string }>(
      `SELECT ${at('min')} AS first, ${at('max')} AS last FROM events WHERE session_id = $1`,
      [sessionId],
    );
    return typeof span?.first === 'string' ? { first: span.first, last: span.last } : undefined;
  }

  /** Counts matching events: exact up to MAX_EXACT_COUNT, an estimate beyond, so that no table is scanned. */
  count(filter: EventFilter): Promise<Count> {
    return countRows((text, parameters) => this.readSql.query(text, parameters), keysetQuery(filter));
  }

  /** TypeORM knows the entity only after it has connected. */
  private get insertText(): string {
    return (this.insertStatement ??= insertStatement(this.events.metadata));
  }
}

/** Selects columns of the stored events with these ids, in no particular order. */
function selectByIds(columns: string, ids: readonly string[]): [sql: string, parameters: unknown[]] {
  // An id begins with its milliseconds, so the index on (timestamp, id) finds it in a range of one millisecond.
  const milliseconds = ids.map(millisecondsOf);
  return [
    `SELECT ${columns}
     FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS wanted (wanted_id, first, next)
     JOIN events ON id = wanted_id AND events.timestamp >= first AND events.timestamp < next`,
    [
      ids,
      milliseconds.map((ms) => (ms === 0 ? '-infinity' : new Date(ms).toISOString())),
      milliseconds.map((ms) => new Date(ms + 1).toISOString()),
    ],
  ];
}

/**
 * Chooses the index for a filter. A session is small enough that its events may be filtered row by row. For the other filters
 * that an index does not serve, ClickHouse answers; while it is away, the events of an application are filtered too.
 */
function keysetQuery(filter: EventFilter): KeysetQuery {
  const { application, session_id, category, name, timestamp_after, timestamp_before } = filter;
  const [equality, residual] =
    session_id !== undefined
      ? [{ session_id }, { application, category, name }]
      : application !== undefined
        ? [{ application }, { category, name }]
        : [{ category }, { name }];
  return {
    table: 'events',
    orderColumn: 'timestamp',
    equality,
    residual,
    after: timestamp_after,
    before: timestamp_before,
  };
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
      RETURNING id, application
    ),
    by_application AS (
      SELECT application, sent, coalesce(added, 0) AS added
      FROM (
        SELECT application, count(*) AS sent FROM jsonb_to_recordset($1::jsonb) AS batch (application text) GROUP BY 1
      ) AS sent
      LEFT JOIN (SELECT application, count(*) AS added FROM stored GROUP BY 1) AS added USING (application)
    )
    SELECT count(*)::int AS stored, array_agg(id) FILTER (WHERE $2) AS ids,
      (SELECT jsonb_agg(by_application) FROM by_application) AS "byApplication"
    FROM stored`;
}
