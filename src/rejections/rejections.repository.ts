import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { formatUtc, ReadSql, selectUtc, Sql } from '../platform/database/sql.js';
import { readBoundedSlice } from '../platform/paging/bounded-slice.js';
import { countRows, selectSlice, type KeysetQuery } from '../platform/paging/keyset-query.js';
import type { Count, Slice, SliceRows } from '../platform/paging/page.js';
import type { NewRejection } from '../platform/model/rejection.js';
import type { RejectionCount } from './rejection-counts.js';
import { type RejectionRow, toAscii, toRow } from './rejection-row.js';

export interface RejectionFilter {
  code?: string;
  application?: string;
  outcome?: string;
  session_id?: string;
  category?: string;
  name?: string;
  /** Canonical timestamps, both inclusive. */
  rejected_after?: string;
  rejected_before?: string;
}

/** What a process has recorded since the last batch. */
export interface RejectionsBatch {
  /** Written with the batch, so that a retry does not write it again. */
  readonly id: string;
  readonly rows: readonly RejectionRow[];
  readonly counts: readonly RejectionCount[];
}

/** Selects counts in buckets of time. */
export interface CountsQuery {
  interval: 'minute' | 'hour' | 'day';
  /** Start of the first bucket and end of the last one. */
  from: Date;
  to: Date;
  application?: string;
  code?: string;
}

const COLUMNS =
  'id, event_id, application, code, errors, event, whole, outcome, session_id, category, name, dialect';

const SELECTED = `${COLUMNS}, ${selectUtc('rejected_at')}`;

/** What a row takes in a response. */
const BYTES = 'coalesce(octet_length(event), 0) + octet_length(errors::text)';

/** A JSON array of rows as a relation. */
const BATCH = `AS batch (
  id uuid, event_id uuid, application text, code text, errors jsonb, event text, whole boolean, outcome text,
  session_id text, category text, name text, dialect text, rejected_at timestamptz
)`;

/** Rows that one statement removes at most, so that it holds its locks only briefly. */
const REMOVAL_CHUNK_SIZE = 1000;

/** The tables of rejections and their counts. All SQL about them is here. */
@Injectable()
export class RejectionsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly readSql: ReadSql,
  ) {}

  /**
   * Writes a batch in one statement. If its response is lost and it runs again, the id of the batch exists and nothing is
   * written. Counts are sorted, so that two processes lock them in the same order.
   */
  async write({ id, rows, counts }: RejectionsBatch): Promise<void> {
    await this.sql.query(
      `WITH once AS (
         INSERT INTO rejection_writes (id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id
       ), counted AS (
         INSERT INTO rejection_counts AS counts (minute, application, code, category, name, count)
         SELECT minute, application, code, category, name, count
         FROM once, jsonb_to_recordset($2::jsonb) AS batch (
           minute timestamptz, application text, code text, category text, name text, count bigint
         )
         ORDER BY minute, application, code, category, name
         ON CONFLICT (minute, application, code, category, name)
         DO UPDATE SET count = counts.count + excluded.count
       )
       INSERT INTO rejections (${COLUMNS}, rejected_at)
       SELECT ${COLUMNS.replace('id,', 'batch.id,')}, rejected_at FROM once, jsonb_to_recordset($3::jsonb) ${BATCH}`,
      [id, JSON.stringify(counts), JSON.stringify(rows)],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
  }

  /**
   * Dead-letters an event that was accepted and that PostgreSQL refused, and counts it. If its job runs again, the event
   * replaces the earlier row and is not counted again.
   * @param ascii for a database that refuses the texts: the event is then written with escapes, and still exact; what
   *   is only searched by has `?` in their place
   */
  async deadLetter(rejection: NewRejection, { ascii = false } = {}): Promise<void> {
    const row = { ...toRow(rejection, 'set_aside'), event: JSON.stringify(rejection.event), whole: true };
    const whole = ascii ? toAscii(row) : row;
    await this.sql.query(
      `WITH dead_letter AS (
         INSERT INTO rejections AS stored (${COLUMNS}, rejected_at)
         SELECT ${COLUMNS}, clock_timestamp() FROM jsonb_to_recordset($1::jsonb) ${BATCH}
         ON CONFLICT (event_id) WHERE outcome = 'set_aside'
         DO UPDATE SET errors = excluded.errors, rejected_at = excluded.rejected_at
         RETURNING stored.*, xmax = 0 AS is_new
       )
       INSERT INTO rejection_counts AS counts (minute, application, code, category, name, count)
       SELECT date_trunc('minute', rejected_at), application, code, coalesce(category, ''), coalesce(name, ''), 1
       FROM dead_letter WHERE is_new
       ON CONFLICT (minute, application, code, category, name)
       DO UPDATE SET count = counts.count + excluded.count`,
      [JSON.stringify([whole])],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
  }

  /** Reads a slice of the matching rejections in their order; for a cursor to `previous`, in the opposite order. */
  find(filter: RejectionFilter, slice: Slice): Promise<SliceRows<RejectionRow>> {
    return readBoundedSlice({
      slice,
      select: (part) => selectSlice(SELECTED, keysetQuery(filter), part),
      bytes: BYTES,
      cursorKey: ({ rejected_at, id }) => ({ timestamp: rejected_at, id }),
      run: ({ sql, parameters }) => this.readSql.query(sql, parameters),
    });
  }

  /** Counts matching rejections: exact up to MAX_EXACT_COUNT, an estimate beyond, so that no table is scanned. */
  count(filter: RejectionFilter): Promise<Count> {
    return countRows((sql, parameters) => this.readSql.query(sql, parameters), keysetQuery(filter));
  }

  /** @param application that the rejection must be of; undefined for any */
  async findById(id: string, application?: string): Promise<RejectionRow | undefined> {
    const [row] = await this.readSql.query<RejectionRow>(
      `SELECT ${SELECTED} FROM rejections WHERE id = $1 AND application = coalesce($2, application)`,
      [id, application ?? null],
    );
    return row;
  }

  /** Removes rejections, except those that were refused again after they were read. */
  async remove(rows: readonly Pick<RejectionRow, 'id' | 'rejected_at'>[]): Promise<void> {
    await this.sql.query(
      `DELETE FROM rejections
       USING jsonb_to_recordset($1::jsonb) AS read (id uuid, rejected_at timestamptz)
       WHERE rejections.id = read.id AND rejections.rejected_at = read.rejected_at`,
      [JSON.stringify(rows.map(({ id, rejected_at }) => ({ id, rejected_at })))],
    );
  }

  /** Writes the results of retries that were refused or observed again. */
  async update(rows: readonly RejectionRow[]): Promise<void> {
    await this.sql.query(
      `UPDATE rejections
       SET code = batch.code, errors = batch.errors, outcome = batch.outcome, event_id = batch.event_id
       FROM jsonb_to_recordset($1::jsonb) ${BATCH}
       WHERE rejections.id = batch.id AND rejections.rejected_at = batch.rejected_at`,
      [JSON.stringify(rows)],
    );
  }

  /** Counts by bucket, application, code and type, in this order; at most `limit` rows. */
  async counts(
    { interval, from, to, application, code }: CountsQuery,
    limit: number,
  ): Promise<(Omit<RejectionCount, 'minute'> & { time: string })[]> {
    const rows = await this.readSql.query<
      Omit<RejectionCount, 'minute' | 'count'> & { time: string; count: string }
    >(
      `SELECT ${formatUtc(`date_trunc($1, minute AT TIME ZONE 'UTC')`)} AS time,
         application, code, category, name, sum(count)::bigint AS count
       FROM rejection_counts
       WHERE minute >= $2 AND minute < $3
         AND ($4::text IS NULL OR application = $4) AND ($5::text IS NULL OR code = $5)
       GROUP BY 1, 2, 3, 4, 5
       ORDER BY 1, 2, 3, 4, 5
       LIMIT $6`,
      [interval, from, to, application ?? null, code ?? null, limit],
    );
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }

  /**
   * Removes some of the rows before a time, oldest first, and skips those that another process is removing.
   * @returns true if there may be more
   */
  async removeSome(before: Date): Promise<boolean> {
    const some = (table: string, time: string, end = '$1'): string =>
      `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
         SELECT ctid FROM ${table} WHERE ${time} < ${end} ORDER BY ${time} LIMIT ${REMOVAL_CHUNK_SIZE} FOR UPDATE SKIP LOCKED
       )) RETURNING 1`;
    const [counted] = await this.sql.query<{ most: number }>(
      `WITH rejection AS (${some('rejections', 'rejected_at')}),
         counted AS (${some('rejection_counts', 'minute')}),
         written AS (${some('rejection_writes', 'written_at', `now() - interval '1 day'`)})
       SELECT greatest(
         (SELECT count(*) FROM rejection), (SELECT count(*) FROM counted), (SELECT count(*) FROM written)
       )::int AS most`,
      [before],
      { timeoutMs: environment.STORE_TIMEOUT },
    );
    return counted?.most === REMOVAL_CHUNK_SIZE;
  }
}

/** Chooses the index for a filter: the one with the most selective columns. Nearly all rows are `refused`. */
function keysetQuery(filter: RejectionFilter): KeysetQuery {
  const { session_id, category, name, code, application, outcome, rejected_after, rejected_before } = filter;
  const hasType = category !== undefined || name !== undefined;
  const isOutcomeRare = outcome !== undefined && outcome !== 'refused';
  const [equality, residual] =
    session_id !== undefined
      ? [{ session_id }, { category, name, code, application, outcome }]
      : hasType
        ? [
            { category, name },
            { code, application, outcome },
          ]
        : code !== undefined || (application !== undefined && !isOutcomeRare)
          ? [{ application, code }, { outcome }]
          : [{ outcome }, { application }];
  return {
    table: 'rejections',
    orderColumn: 'rejected_at',
    equality,
    residual,
    after: rejected_after,
    before: rejected_before,
  };
}
