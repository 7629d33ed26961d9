import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { KeySql, ReadSql, selectUtc, Sql } from '../platform/database/sql.js';
import { type Actor, audited } from './audit.js';
import type { Scope } from './caller.js';

/** A key without its secret. */
export interface Key {
  id: string;
  application: string;
  scope: Scope;
  /** False if the key is bound to its application. */
  all_applications: boolean;
  prefix: string;
  allowed_origins: string[];
  /** Events a minute; null for the limit of `RATE_LIMIT`. */
  rate_limit: number | null;
  /** UTC with six fractional digits. */
  created_at: string;
  expires_at: string | null;
  /** Exact to a minute. */
  last_used_at: string | null;
  revoked_at: string | null;
}

export type NewKey = Omit<Key, 'created_at' | 'last_used_at' | 'revoked_at'> & { hash: Buffer };

/** A key that is neither revoked nor expired. */
export type ActiveKey = Key & { hash: Buffer };

/** Which keys a caller may see and change. */
export interface KeyFilter {
  /** Name of the application that the keys must belong to; undefined for any. */
  readonly application?: string;
  /** True to leave out keys for all applications. */
  readonly boundOnly?: boolean;
}

/** Limits the look-ups of authentication, because a request waits for them. */
const LOOKUP_TIMEOUT_MS = Math.min(environment.QUERY_TIMEOUT, 1000);

const COLUMNS = [
  'id, application, scope, all_applications, prefix, allowed_origins, rate_limit',
  ...['created_at', 'expires_at', 'last_used_at', 'revoked_at'].map(selectUtc),
].join(', ');

/** A key that is neither revoked nor expired. */
const IS_ACTIVE = 'revoked_at IS NULL AND (expires_at IS NULL OR expires_at > clock_timestamp())';

/** The condition of a KeyFilter whose application is $1. */
const isOf = ({ boundOnly = false }: KeyFilter): string =>
  `application = coalesce($1, application)${boundOnly ? ' AND NOT all_applications' : ''}`;

/** The table `keys`. */
@Injectable()
export class KeysRepository {
  constructor(
    private readonly sql: Sql,
    private readonly readSql: ReadSql,
    private readonly keySql: KeySql,
  ) {}

  /** The keys of one application or of all, revoked ones included, the oldest first. */
  list(filter: KeyFilter = {}): Promise<Key[]> {
    return this.readSql.query(
      `SELECT ${COLUMNS} FROM keys WHERE ${isOf(filter)} ORDER BY application, keys.created_at, id`,
      [filter.application ?? null],
    );
  }

  /** @returns undefined if the application does not exist */
  async create(key: NewKey, actor: Actor): Promise<Key | undefined> {
    const {
      id,
      application,
      scope,
      all_applications,
      hash,
      prefix,
      allowed_origins,
      rate_limit,
      expires_at,
    } = key;
    const parameters: unknown[] = [id, application, scope, all_applications, hash, prefix];
    parameters.push(allowed_origins, rate_limit, expires_at);
    const change = audited(
      `INSERT INTO keys (id, application, scope, all_applications, hash, prefix, allowed_origins, rate_limit, expires_at)
       SELECT $1::uuid, name, $3, $4, $5, $6, $7, $8, $9 FROM applications WHERE name = $2 RETURNING *`,
      {
        action: 'key.create',
        application: 'application',
        target: 'changed.id::text',
        details: `jsonb_build_object('scope', scope, 'all_applications', all_applications, 'prefix', prefix,
          'allowed_origins', allowed_origins, 'rate_limit', rate_limit, 'expires_at', expires_at)`,
      },
      actor,
      parameters,
    );
    const [created] = await this.sql.query<Key>(`WITH ${change} SELECT ${COLUMNS} FROM changed`, parameters);
    return created;
  }

  /**
   * A key that is revoked already keeps its time of revocation.
   * @returns false if there is no such key
   */
  async revoke(id: string, filter: KeyFilter, actor: Actor): Promise<boolean> {
    const parameters: unknown[] = [filter.application ?? null, id];
    const change = audited(
      `UPDATE keys SET revoked_at = now() WHERE ${isOf(filter)} AND id = $2 AND revoked_at IS NULL RETURNING *`,
      {
        action: 'key.revoke',
        application: 'application',
        target: 'changed.id::text',
        details: `jsonb_build_object('scope', scope, 'prefix', prefix)`,
      },
      actor,
      parameters,
    );
    const found = await this.sql.query(
      `WITH ${change} SELECT 1 FROM keys WHERE ${isOf(filter)} AND id = $2`,
      parameters,
    );
    return found.length > 0;
  }

  /** @param uses the id of each key and when it was last used, in milliseconds since 1970 */
  async noteUses(uses: readonly (readonly [string, number])[]): Promise<void> {
    await this.sql.query(
      `UPDATE keys SET last_used_at = greatest(last_used_at, used.at)
       FROM unnest($1::uuid[], $2::timestamptz[]) AS used (id, at)
       WHERE keys.id = used.id`,
      [uses.map(([id]) => id), uses.map(([, at]) => new Date(at).toISOString())],
    );
  }

  /** @param hash SHA-256 of the key */
  async findActive(hash: Buffer): Promise<ActiveKey | undefined> {
    const [key] = await this.keySql.query<ActiveKey>(
      `SELECT ${COLUMNS}, hash FROM keys WHERE hash = $1 AND ${IS_ACTIVE}`,
      [hash],
      { timeoutMs: LOOKUP_TIMEOUT_MS },
    );
    return key;
  }

  /** Every origin that an active ingest key lists. */
  async allowedOrigins(): Promise<string[]> {
    const rows = await this.keySql.query<{ origin: string }>(
      `SELECT DISTINCT unnest(allowed_origins) AS origin FROM keys WHERE scope = 'ingest' AND ${IS_ACTIVE}`,
      [],
      { timeoutMs: LOOKUP_TIMEOUT_MS },
    );
    return rows.map(({ origin }) => origin);
  }
}
