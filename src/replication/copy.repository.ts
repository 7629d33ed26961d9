import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { ClickHouse } from '../platform/clickhouse/clickhouse.js';
import {
  COPIED_COLUMNS,
  type CopyMark,
  createTable,
  DEFINITION,
  EVENTS,
  parseMark,
  PROJECTIONS,
  tableOf,
} from './copy-table.js';
import type { RemovedKey } from './batch-events.repository.js';

/** Milliseconds after which ClickHouse is asked again. A process that gives up before its claim ends repeats its own batch. */
const COPY_TIMEOUT_MS = 15_000;

/** A name of a table that an earlier copy has left behind. */
const LEFTOVER = new RegExp(`^${EVENTS}_(?:old_)?[0-9a-f]{8}$`);

const OPTIONS = { timeoutMs: COPY_TIMEOUT_MS, name: 'replication' } as const;

/** One part for one insert: no parallel parsing and no second thread, which would make parts of their own. */
const INSERT_SETTINGS = {
  async_insert: 0,
  insert_deduplicate: 1,
  max_insert_threads: 1,
  input_format_parallel_parsing: 0,
  // One block, and so one part, however large the batch.
  max_insert_block_size: 1_000_000,
  min_insert_block_size_rows: 1_000_000,
  min_insert_block_size_bytes: 1024 * 1024 * 1024,
  // {"a.b": 1} is another payload than {"a": {"b": 1}}.
  json_type_escape_dots_in_keys: 1,
  // A key with the escape of a dot collides with one that has the dot. Without this, the whole payload would be refused.
  type_json_skip_duplicated_paths: 1,
  // A text that looks like a date stays a text.
  input_format_try_infer_dates: 0,
  input_format_try_infer_datetimes: 0,
};

/** Changes with the definition of the table and with what is written into it: a copy with another digest is made again. */
export const SCHEMA_DIGEST = hash('sha256', DEFINITION + JSON.stringify(INSERT_SETTINGS), 'hex').slice(0, 16);

const REMOVE_SETTINGS = { lightweight_deletes_sync: 2, mutations_sync: 2, max_query_size: 16 * 1024 * 1024 };

/** Rewrites the parts that have removed rows or lack a projection; leaves the others as they are. */
const REWRITE = `APPLY DELETED MASK, ${PROJECTIONS.map((name) => `MATERIALIZE PROJECTION ${name}`).join(', ')}`;

/** What is left to be erased. */
export interface Erasure {
  /** Parts with removed rows, or without a projection. */
  readonly parts: number;
  /** Seconds since the last of them was changed. */
  readonly age: number;
  /** Whether they are being rewritten. */
  readonly isRunning: boolean;
}

/** The copies of the events in ClickHouse. Every statement may be repeated, and may arrive late. */
@Injectable()
export class CopyRepository {
  constructor(private readonly clickhouse: ClickHouse) {}

  /** Whether this process has a ClickHouse at all. */
  get exists(): boolean {
    return this.clickhouse.isConfigured;
  }

  get database(): string {
    return this.clickhouse.database;
  }

  /** The tables whose names are those of copies. The mark of a table of somebody else is undefined. */
  async tables(): Promise<Map<string, CopyMark | undefined>> {
    const rows = await this.clickhouse.query<{ name: string; comment: string }>(
      `SELECT name, comment FROM system.tables WHERE database = currentDatabase() AND startsWith(name, '${EVENTS}')`,
      {},
      OPTIONS,
    );
    return new Map(
      rows
        .filter(({ name }) => name === EVENTS || LEFTOVER.test(name))
        .map(({ name, comment }) => [name, parseMark(comment)]),
    );
  }

  async create(table: string, mark: CopyMark): Promise<void> {
    await this.clickhouse.command(createTable(table, mark), {}, OPTIONS);
  }

  async drop(table: string): Promise<void> {
    await this.clickhouse.command(
      `DROP TABLE IF EXISTS ${table}`,
      {},
      {
        ...OPTIONS,
        settings: { max_table_size_to_drop: 0 },
      },
    );
  }

  /** Removes what earlier copies have left behind. */
  async dropLeftovers(source: string, next: string | null): Promise<void> {
    for (const [table, mark] of await this.tables())
      if (LEFTOVER.test(table) && mark?.source === source && mark.copy !== next) await this.drop(table);
  }

  /**
   * Puts a copy in the place of the one that answers questions. The names of the tables make a repeated statement fail
   * instead of exchanging them again.
   */
  async activate(source: string, copy: string): Promise<void> {
    const tables = await this.tables();
    if (tables.get(EVENTS)?.copy === copy) return;
    const [table, old] = [tableOf(copy), `${EVENTS}_old_${copy.slice(0, 8)}`];
    const place = `${table} TO ${EVENTS}`;
    const renames = tables.has(EVENTS) ? `${EVENTS} TO ${old}, ${place}` : place;
    await this.clickhouse.command(`RENAME TABLE ${renames}`, {}, OPTIONS);
    await this.dropLeftovers(source, null);
  }

  /**
   * Inserts the rows of a batch, whole or not at all, once.
   * @param isRepeated whether an earlier attempt may have succeeded, or may be about to
   */
  async insert(
    table: string,
    copy: string,
    batch: string,
    lines: string,
    isRepeated: boolean,
  ): Promise<void> {
    // ClickHouse writes down a token a moment before the part, and may lose it with the power. So a repetition counts the
    // rows: before, in case the token is lost, and after, in case only the token is left.
    for (let attempt = 0; !(isRepeated && (await this.has(table, batch))); attempt++) {
      await this.clickhouse.insert(table, lines, {
        ...OPTIONS,
        columns: COPIED_COLUMNS,
        token: `${copy}:${batch}:${attempt}`,
        settings: INSERT_SETTINGS,
      });
      if (!isRepeated) return;
    }
  }

  /** Removes events, except those that were stored by a later batch. */
  async remove(table: string, batch: string, keys: readonly RemovedKey[]): Promise<void> {
    if (keys.length === 0) return;
    // The texts are numbers and UUIDs of PostgreSQL. Both conditions use the primary key.
    const timestamps = [...new Set(keys.map(({ timestamp }) => timestamp))].join(',');
    const ids = keys.map(({ id }) => `'${id}'`).join(',');
    await this.clickhouse.command(
      `DELETE FROM ${table} WHERE timestamp IN (${timestamps}) AND id IN (${ids}) AND batch < ${batch}`,
      {},
      { ...OPTIONS, settings: REMOVE_SETTINGS },
    );
  }

  async erasure(): Promise<Erasure> {
    const [row] = await this.clickhouse.query<{ parts: string; age: string; mutations: string }>(
      `SELECT count() AS parts, dateDiff('second', max(modification_time), now()) AS age,
         (SELECT count() FROM system.mutations WHERE database = currentDatabase() AND table = '${EVENTS}' AND NOT is_done)
           AS mutations
       FROM system.parts
       WHERE database = currentDatabase() AND table = '${EVENTS}' AND active AND rows > 0
         AND (has_lightweight_delete OR length(projections) < ${PROJECTIONS.length})`,
      {},
      OPTIONS,
    );
    return { parts: Number(row?.parts), age: Number(row?.age), isRunning: row?.mutations !== '0' };
  }

  /**
   * Begins to erase removed events from the disk: rewrites their parts in the background, with the projections that were
   * dropped. Meanwhile the parts answer questions as before.
   */
  async erase(): Promise<void> {
    await this.clickhouse.command(
      `ALTER TABLE ${EVENTS} ${REWRITE}`,
      {},
      {
        ...OPTIONS,
        settings: { mutations_sync: 0 },
      },
    );
  }

  /** Stops `erase()`, for which a removal would have to wait. Parts that are rewritten already stay so. */
  async stopErasing(): Promise<void> {
    await this.clickhouse.command(
      `KILL MUTATION WHERE database = currentDatabase() AND table = '${EVENTS}'
         AND (command LIKE '%APPLY DELETED MASK%' OR command LIKE '%MATERIALIZE PROJECTION%') ASYNC`,
      {},
      OPTIONS,
    );
  }

  /** A copy of the table as it is now, which shares its files. */
  async clone(table: string): Promise<void> {
    await this.drop(table);
    await this.clickhouse.command(`CREATE TABLE ${table} CLONE AS ${EVENTS}`, {}, OPTIONS);
  }

  private async has(table: string, batch: string): Promise<boolean> {
    const [row] = await this.clickhouse.query<{ rows: string }>(
      `SELECT count() AS rows FROM ${table} WHERE batch = ${batch}`,
      {},
      OPTIONS,
    );
    return row?.rows !== '0';
  }
}
