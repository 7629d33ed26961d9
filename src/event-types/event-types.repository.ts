import { Injectable } from '@nestjs/common';
import { type Actor, audited } from '../auth/audit.js';
import { ReadSql, selectUtc, Sql } from '../platform/database/sql.js';

/** The largest `integer` of PostgreSQL. */
export const MAX_VERSION = 2_147_483_647;

/** `enforce` refuses an event that does not match; `observe` accepts it and records the violation. */
export const MODES = ['enforce', 'observe'] as const;
export type Mode = (typeof MODES)[number];

export interface TypeKey {
  readonly category: string;
  readonly name: string;
}

/** A type of an application. */
export interface ApplicationTypeKey extends TypeKey {
  /** Name of the application. */
  readonly application: string;
}

export interface EventTypeVersion extends ApplicationTypeKey {
  readonly version: number;
  /** JSON text; null in a version that is a deletion. */
  readonly schema: string | null;
  readonly mode: Mode | null;
  readonly changed_by: string;
  readonly changed_by_key: string | null;
  /** UTC with six fractional digits. */
  readonly changed_at: string;
}

const COLUMNS = `application, category, name, version, schema, mode, changed_by, changed_by_key, ${selectUtc('changed_at')}`;

/**
 * Seconds before the newest known change from which a refresh reads: a change that was stamped earlier by a slow
 * connection may have been committed later.
 */
const OVERLAP_SECONDS = 60;

/** The versions of event types in PostgreSQL. */
@Injectable()
export class EventTypesRepository {
  constructor(
    private readonly sql: Sql,
    private readonly readSql: ReadSql,
  ) {}

  /** The newest version of every type, including deletions. */
  latestOfAll(): Promise<EventTypeVersion[]> {
    return this.sql.query(
      `SELECT DISTINCT ON (application, category, name) ${COLUMNS} FROM event_type_versions
       ORDER BY application, category, name, version DESC`,
    );
  }

  /**
   * The types with a version since OVERLAP_SECONDS before `changedAt`, and the number of the newest. An index on
   * `changed_at` finds them.
   */
  changesSince(changedAt: string | undefined): Promise<(ApplicationTypeKey & { version: number })[]> {
    return this.sql.query(
      `SELECT application, category, name, max(version) AS version FROM event_type_versions
       WHERE changed_at > $1::timestamptz - interval '${OVERLAP_SECONDS} seconds'
       GROUP BY application, category, name`,
      [changedAt ?? '-infinity'],
    );
  }

  /** The newest version of a type, which may be a deletion, for a change or for the cache. */
  latest(key: ApplicationTypeKey): Promise<EventTypeVersion | undefined> {
    return this.newest(this.sql, key);
  }

  /** The newest version of a type, which may be a deletion, for a question. */
  read(key: ApplicationTypeKey): Promise<EventTypeVersion | undefined> {
    return this.newest(this.readSql, key);
  }

  private async newest(
    sql: Sql,
    { application, category, name }: ApplicationTypeKey,
  ): Promise<EventTypeVersion | undefined> {
    const [version] = await sql.query<EventTypeVersion>(
      `SELECT ${COLUMNS} FROM event_type_versions WHERE application = $1 AND category = $2 AND name = $3
       ORDER BY version DESC LIMIT 1`,
      [application, category, name],
    );
    return version;
  }

  /** The current types of an application by category and name, from after `after` on. */
  list(application: string, limit: number, after?: TypeKey): Promise<EventTypeVersion[]> {
    return this.readSql.query(
      `SELECT ${COLUMNS} FROM (
         SELECT DISTINCT ON (category, name) * FROM event_type_versions
         WHERE application = $2 ${after ? 'AND (category, name) > ($3, $4)' : ''}
         ORDER BY category, name, version DESC
       ) AS newest
       WHERE schema IS NOT NULL ORDER BY category, name LIMIT $1`,
      [limit, application, ...(after ? [after.category, after.name] : [])],
    );
  }

  /** Versions of a type, newest first, from before version `before` on. */
  history(
    { application, category, name }: ApplicationTypeKey,
    limit: number,
    before?: number,
  ): Promise<EventTypeVersion[]> {
    return this.readSql.query(
      `SELECT ${COLUMNS} FROM event_type_versions
       WHERE application = $1 AND category = $2 AND name = $3 AND version < $4
       ORDER BY version DESC LIMIT $5`,
      [application, category, name, before ?? MAX_VERSION, limit],
    );
  }

  /** @returns undefined if a version with this number exists already */
  async insert(
    version: Omit<EventTypeVersion, 'changed_at'>,
    actor: Actor,
  ): Promise<EventTypeVersion | undefined> {
    const parameters: unknown[] = [
      version.application,
      version.category,
      version.name,
      version.version,
      version.schema,
      version.mode,
      version.changed_by,
      version.changed_by_key,
    ];
    const change = audited(
      `INSERT INTO event_type_versions (application, category, name, version, schema, mode, changed_by, changed_by_key)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *`,
      {
        action: version.schema === null ? 'event_type.delete' : 'event_type.put',
        application: 'application',
        target: `category || '/' || name`,
        details: `jsonb_build_object('category', category, 'name', name, 'version', version, 'mode', mode)`,
      },
      actor,
      parameters,
    );
    const [inserted] = await this.sql.query<EventTypeVersion>(
      `WITH ${change} SELECT ${COLUMNS} FROM changed`,
      parameters,
    );
    return inserted;
  }

  async hasApplication(name: string): Promise<boolean> {
    const found = await this.readSql.query('SELECT 1 FROM applications WHERE name = $1', [name]);
    return found.length > 0;
  }
}
