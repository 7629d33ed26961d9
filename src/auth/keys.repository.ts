import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { selectUtc, Sql } from '../platform/database/sql.js';
import type { Scope } from './caller.js';

/** A key without its secret. */
export interface Key {
  id: string;
  application: string;
  scope: Scope;
  prefix: string;
  allowed_origins: string[];
  /** Events a minute; null for the limit of `RATE_LIMIT`. */
  rate_limit: number | null;
  /** UTC with six fractional digits. */
  created_at: string;
  revoked_at: string | null;
}

export type NewKey = Omit<Key, 'created_at' | 'revoked_at'> & { hash: Buffer };

/** What authentication needs of a key that is not revoked. */
export type ActiveKey = Pick<Key, 'id' | 'application' | 'scope' | 'allowed_origins' | 'rate_limit'> & {
  hash: Buffer;
};

/** Limits the look-ups of authentication, because a request waits for them. */
const LOOKUP_TIMEOUT_MS = Math.min(environment.QUERY_TIMEOUT, 1000);

const COLUMNS = `id, application, scope, prefix, allowed_origins, rate_limit, ${selectUtc('created_at')}, ${selectUtc('revoked_at')}`;

/** The table `keys`. */
@Injectable()
export class KeysRepository {
  constructor(private readonly sql: Sql) {}

  /**
   * The keys of one application or of all, revoked ones included, the oldest first.
   * @param application name
   */
  list(application?: string): Promise<Key[]> {
    return this.sql.query(
      `SELECT ${COLUMNS} FROM keys ${application === undefined ? '' : 'WHERE application = $1'}
       ORDER BY application, keys.created_at, id`,
      application === undefined ? [] : [application],
    );
  }

  /** @returns undefined if the application does not exist */
  async create(key: NewKey): Promise<Key | undefined> {
    const { id, application, scope, hash, prefix, allowed_origins, rate_limit } = key;
    const [created] = await this.sql.query<Key>(
      `INSERT INTO keys (id, application, scope, hash, prefix, allowed_origins, rate_limit)
       SELECT $1, name, $3, $4, $5, $6, $7 FROM applications WHERE name = $2 RETURNING ${COLUMNS}`,
      [id, application, scope, hash, prefix, allowed_origins, rate_limit],
    );
    return created;
  }

  /**
   * A key that is revoked already keeps its time of revocation.
   * @param application the name that the key must belong to; undefined for any
   * @returns false if there is no such key
   */
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

  /** @param hash SHA-256 of the key */
  async findActive(hash: Buffer): Promise<ActiveKey | undefined> {
    const [key] = await this.sql.query<ActiveKey>(
      `SELECT id, application, scope, allowed_origins, rate_limit, hash FROM keys
       WHERE hash = $1 AND revoked_at IS NULL`,
      [hash],
      { timeoutMs: LOOKUP_TIMEOUT_MS },
    );
    return key;
  }

  /** Every origin that an active ingest key lists. */
  async allowedOrigins(): Promise<string[]> {
    const rows = await this.sql.query<{ origin: string }>(
      `SELECT DISTINCT unnest(allowed_origins) AS origin FROM keys WHERE scope = 'ingest' AND revoked_at IS NULL`,
      [],
      { timeoutMs: LOOKUP_TIMEOUT_MS },
    );
    return rows.map(({ origin }) => origin);
  }
}
