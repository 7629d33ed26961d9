import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { selectUtc, Sql } from '../platform/database/sql.js';
import type { Scope } from '../auth/caller.js';

export interface Application {
  name: string;
  /** UTC with six fractional digits, as all times here. */
  created_at: string;
}

/** A key as anybody but its holder knows it. */
export interface Key {
  id: string;
  application: string;
  scope: Scope;
  prefix: string;
  allowed_origins: string[];
  /** Events a minute; null for the limit of all. */
  rate_limit: number | null;
  created_at: string;
  revoked_at: string | null;
}

export type NewKey = Omit<Key, 'created_at' | 'revoked_at'> & { hash: Buffer };

/** A key that is good, with what decides about a request. */
export type ActiveKey = Pick<Key, 'id' | 'application' | 'scope' | 'allowed_origins' | 'rate_limit'> & {
  hash: Buffer;
};

/** Milliseconds within which a key must be found: somebody waits for an answer. */
const KEY_TIMEOUT_MS = Math.min(environment.QUERY_TIMEOUT, 1000);

const APPLICATION_COLUMNS = `name, ${selectUtc('created_at')}`;
const KEY_COLUMNS = `id, application, scope, prefix, allowed_origins, rate_limit, ${selectUtc('created_at')}, ${selectUtc('revoked_at')}`;

/** The applications and their keys in PostgreSQL. */
@Injectable()
export class ApplicationsRepository {
  constructor(private readonly sql: Sql) {}

  /** By name, beginning after one. */
  list(limit: number, after = ''): Promise<Application[]> {
    return this.sql.query(
      `SELECT ${APPLICATION_COLUMNS} FROM applications WHERE name > $2 ORDER BY name LIMIT $1`,
      [limit, after],
    );
  }

  async find(name: string): Promise<Application | undefined> {
    const [application] = await this.sql.query<Application>(
      `SELECT ${APPLICATION_COLUMNS} FROM applications WHERE name = $1`,
      [name],
    );
    return application;
  }

  /** The new application, or undefined where there is one of this name. */
  async create(name: string): Promise<Application | undefined> {
    const [application] = await this.sql.query<Application>(
      `INSERT INTO applications (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING ${APPLICATION_COLUMNS}`,
      [name],
    );
    return application;
  }

  /** Those of one application or of all, the oldest first; revoked ones too. */
  keys(application?: string): Promise<Key[]> {
    return this.sql.query(
      `SELECT ${KEY_COLUMNS} FROM keys ${application === undefined ? '' : 'WHERE application = $1'}
       ORDER BY application, keys.created_at, id`,
      application === undefined ? [] : [application],
    );
  }

  /** The new key, or undefined where there is no such application. */
  async createKey(key: NewKey): Promise<Key | undefined> {
    const { id, application, scope, hash, prefix, allowed_origins, rate_limit } = key;
    const [created] = await this.sql.query<Key>(
      `INSERT INTO keys (id, application, scope, hash, prefix, allowed_origins, rate_limit)
       SELECT $1, name, $3, $4, $5, $6, $7 FROM applications WHERE name = $2 RETURNING ${KEY_COLUMNS}`,
      [id, application, scope, hash, prefix, allowed_origins, rate_limit],
    );
    return created;
  }

  /** False where there is no such key. One that was revoked before keeps its time. */
  async revoke(id: string, application?: string): Promise<boolean> {
    const revoked = await this.sql.query(
      `WITH revoked AS (
         UPDATE keys SET revoked_at = coalesce(revoked_at, now())
         WHERE id = $1 AND application = coalesce($2, application) RETURNING id
       ) SELECT id FROM revoked`,
      [id, application ?? null],
    );
    return revoked.length > 0;
  }

  async findActiveKey(hash: Buffer): Promise<ActiveKey | undefined> {
    const [key] = await this.sql.query<ActiveKey>(
      `SELECT id, application, scope, allowed_origins, rate_limit, hash FROM keys
       WHERE hash = $1 AND revoked_at IS NULL`,
      [hash],
      { timeoutMs: KEY_TIMEOUT_MS },
    );
    return key;
  }

  /** Every origin that an ingest key names. */
  async origins(): Promise<string[]> {
    const rows = await this.sql.query<{ origin: string }>(
      `SELECT DISTINCT unnest(allowed_origins) AS origin FROM keys WHERE scope = 'ingest' AND revoked_at IS NULL`,
      [],
      { timeoutMs: KEY_TIMEOUT_MS },
    );
    return rows.map(({ origin }) => origin);
  }
}
