import type { TheEye } from '../../testing/the-eye.js';

/** A table (including TOAST) or an index. */
export interface Relation {
  name: string;
  table: string;
  isIndex: boolean;
  bytes: number;
}

export interface RelationSize {
  name: string;
  table: string;
  isIndex: boolean;
  /** Bytes per event. */
  bytes: number;
}

/** All tables and indexes of The Eye. */
export function relations(eye: TheEye): Promise<Relation[]> {
  return eye.sql<Relation & Record<string, unknown>>(`
    SELECT class.relname AS name, coalesce(indexed.relname, class.relname) AS table, indexed.oid IS NOT NULL AS "isIndex",
      pg_table_size(class.oid)::float8 AS bytes
    FROM pg_class AS class
      LEFT JOIN pg_index ON pg_index.indexrelid = class.oid
      LEFT JOIN pg_class AS indexed ON indexed.oid = pg_index.indrelid
    WHERE class.relnamespace = 'public'::regnamespace AND class.relkind IN ('r', 'i')`);
}

/** Total bytes written to the write-ahead log. */
export async function walPosition(eye: TheEye): Promise<number> {
  const [row] = await eye.sql<{ bytes: number }>(
    `SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 AS bytes`,
  );
  return row?.bytes ?? 0;
}

/** Relations that grew by at least a tenth of a byte per event: tables, then indexes, largest first. */
export function bytesOnDisk(before: Relation[], after: Relation[], events: number): RelationSize[] {
  const empty = new Map(before.map(({ name, bytes }) => [name, bytes]));
  return after
    .map((each) => ({ ...each, bytes: (each.bytes - (empty.get(each.name) ?? 0)) / events }))
    .filter(({ bytes }) => bytes >= 0.1)
    .sort((a, b) => Number(a.isIndex) - Number(b.isIndex) || b.bytes - a.bytes);
}
