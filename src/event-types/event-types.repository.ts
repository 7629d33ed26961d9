import { Injectable } from '@nestjs/common';
import { selectUtc, Sql } from '../platform/database/sql.js';

/** `enforce` rejects an event that does not match; `observe` accepts it and records the violation. */
export const MODES = ['enforce', 'observe'] as const;
export type Mode = (typeof MODES)[number];

export interface TypeKey {
  readonly category: string;
  readonly name: string;
}

export interface EventTypeVersion extends TypeKey {
  readonly version: number;
  /** JSON text; null in a version that is a deletion. */
  readonly schema: string | null;
  readonly mode: Mode | null;
  readonly changed_by: string;
  readonly changed_by_key: string | null;
  /** UTC with six fractional digits. */
  readonly changed_at: string;
}

const COLUMNS = `category, name, version, schema, mode, changed_by, changed_by_key, ${selectUtc('changed_at')}`;

/**
 * Seconds before the newest known change from which a refresh reads: a change that was stamped earlier by a slow
 * connection may have been committed later.
 */
const OVERLAP_SECONDS = 60;

/** The versions of event types in PostgreSQL. */
@Injectable()
export class EventTypesRepository {
  constructor(private readonly sql: Sql) {}

  /** The newest version of every type, including deletions. */
  latestOfAll(): Promise<EventTypeVersion[]> {
    return this.sql.query(
      `SELECT DISTINCT ON (category, name) ${COLUMNS} FROM event_type_versions
       ORDER BY category, name, version DESC`,
    );
  }

  /**
   * The types with a version since OVERLAP_SECONDS before `changedAt`, and the number of the newest. An index on
   * `changed_at` finds them.
   */
  changesSince(changedAt: string | undefined): Promise<(TypeKey & { version: number })[]> {
    return this.sql.query(
      `SELECT category, name, max(version) AS version FROM event_type_versions
       WHERE changed_at > $1::timestamptz - interval '${OVERLAP_SECONDS} seconds' GROUP BY category, name`,
      [changedAt ?? '-infinity'],
    );
  }

  /** The newest version of a type, which may be a deletion. */
  async latest({ category, name }: TypeKey): Promise<EventTypeVersion | undefined> {
    const [version] = await this.sql.query<EventTypeVersion>(
      `SELECT ${COLUMNS} FROM event_type_versions WHERE category = $1 AND name = $2
       ORDER BY version DESC LIMIT 1`,
      [category, name],
    );
    return version;
  }

  /** The current types by category and name, from after `after` on. */
  list(limit: number, after?: TypeKey): Promise<EventTypeVersion[]> {
    return this.sql.query(
      `SELECT ${COLUMNS} FROM (
         SELECT DISTINCT ON (category, name) * FROM event_type_versions
         ${after ? 'WHERE (category, name) > ($2, $3)' : ''}
         ORDER BY category, name, version DESC
       ) AS newest
       WHERE schema IS NOT NULL ORDER BY category, name LIMIT $1`,
      after ? [limit, after.category, after.name] : [limit],
    );
  }

  /** Versions of a type, newest first, from before version `before` on. */
  history({ category, name }: TypeKey, limit: number, before?: number): Promise<EventTypeVersion[]> {
    return this.sql.query(
      `SELECT ${COLUMNS} FROM event_type_versions WHERE category = $1 AND name = $2 AND version < $3
       ORDER BY version DESC LIMIT $4`,
      [category, name, before ?? 2_147_483_647, limit],
    );
  }

  /** @returns undefined if a version with this number exists already */
  async insert(version: Omit<EventTypeVersion, 'changed_at'>): Promise<EventTypeVersion | undefined> {
    const [inserted] = await this.sql.query<EventTypeVersion>(
      `INSERT INTO event_type_versions (category, name, version, schema, mode, changed_by, changed_by_key)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
      [
        version.category,
        version.name,
        version.version,
        version.schema,
        version.mode,
        version.changed_by,
        version.changed_by_key,
      ],
    );
    return inserted;
  }
}
