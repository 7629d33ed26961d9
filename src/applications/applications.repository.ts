import { Injectable } from '@nestjs/common';
import { type Actor, audited } from '../auth/audit.js';
import { ReadSql, selectUtc, Sql } from '../platform/database/sql.js';

export interface Application {
  name: string;
  /** UTC with six fractional digits. */
  created_at: string;
  /** Event types that it may use; null for TYPES_LIMIT. */
  types_limit: number | null;
  /** Days that its timestamps may lie in the past; null for PAST_LIMIT. */
  past_limit: number | null;
}

/** Limits to change; null returns to the setting. */
export type LimitChanges = Partial<Pick<Application, 'types_limit' | 'past_limit'>>;

const COLUMNS = `name, ${selectUtc('created_at')}, types_limit, past_limit`;

/** The table `applications`. */
@Injectable()
export class ApplicationsRepository {
  constructor(
    private readonly sql: Sql,
    private readonly readSql: ReadSql,
  ) {}

  /**
   * Applications ordered by name.
   * @param after the name after which the list begins
   * @param only the name of the only one to list; undefined for all
   */
  list(limit: number, after = '', only?: string): Promise<Application[]> {
    return this.readSql.query(
      `SELECT ${COLUMNS} FROM applications WHERE name > $2 AND name = coalesce($3, name) ORDER BY name LIMIT $1`,
      [limit, after, only ?? null],
    );
  }

  async find(name: string): Promise<Application | undefined> {
    const [application] = await this.readSql.query<Application>(
      `SELECT ${COLUMNS} FROM applications WHERE name = $1`,
      [name],
    );
    return application;
  }

  /** @returns undefined if the application exists already */
  async create(name: string, actor: Actor): Promise<Application | undefined> {
    const parameters: unknown[] = [name];
    const change = audited(
      'INSERT INTO applications (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING *',
      { action: 'application.create', application: 'name', target: 'name', details: `'{}'::jsonb` },
      actor,
      parameters,
    );
    const [application] = await this.sql.query<Application>(
      `WITH ${change} SELECT ${COLUMNS} FROM changed`,
      parameters,
    );
    return application;
  }

  /** @returns undefined if the application does not exist */
  async update(name: string, changes: LimitChanges, actor: Actor): Promise<Application | undefined> {
    const parameters: unknown[] = [
      name,
      changes.types_limit !== undefined,
      changes.types_limit ?? null,
      changes.past_limit !== undefined,
      changes.past_limit ?? null,
    ];
    const change = audited(
      `UPDATE applications SET
         types_limit = CASE WHEN $2 THEN $3::integer ELSE types_limit END,
         past_limit = CASE WHEN $4 THEN $5::integer ELSE past_limit END
       WHERE name = $1 RETURNING *`,
      {
        action: 'application.update',
        application: 'name',
        target: 'name',
        details: `jsonb_build_object('types_limit', types_limit, 'past_limit', past_limit)`,
      },
      actor,
      parameters,
    );
    const [application] = await this.sql.query<Application>(
      `WITH ${change} SELECT ${COLUMNS} FROM changed`,
      parameters,
    );
    return application;
  }
}
