import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { timingSafeEqual } from 'node:crypto';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { digestOf } from './api-key.js';
import type { Caller } from './caller.js';
import { KeysRepository } from './keys.repository.js';
import { RateLimits } from './rate-limits.js';

/** How long a look-up is valid, and so the time until every process rejects a revoked key. */
const TTL_MS = 2000;

/** Keys in the cache, valid and invalid ones. */
const MAX_KEYS = 10_000;

/** The result of a look-up. */
export interface CachedKey {
  /** Undefined if the key is unknown or revoked. */
  readonly caller?: Caller;
  readonly allowedOrigins: readonly string[];
}

const INVALID_KEY: CachedKey = { allowedOrigins: [] };

/**
 * The callers of keys, in memory. While PostgreSQL is away, the last result stays valid: a failed look-up is repeated only
 * after another TTL, so that an outage does not slow down known callers.
 */
@Injectable()
export class ApiKeyCache {
  private readonly keys = new LRUCache<string, CachedKey>({
    max: MAX_KEYS,
    ttl: TTL_MS,
    noDeleteOnStaleGet: true,
    // A request gets the result of its look-up even if other keys have evicted the entry meanwhile.
    ignoreFetchAbort: true,
    fetchMethod: (digest, stale) => orStale(this.lookUp(digest), stale),
  });

  private readonly origins = new LRUCache<'all', Set<string>>({
    max: 1,
    ttl: TTL_MS,
    noDeleteOnStaleGet: true,
    fetchMethod: (_, stale) => orStale(this.lookUpOrigins(), stale),
  });

  constructor(
    private readonly repository: KeysRepository,
    private readonly rateLimits: RateLimits,
  ) {}

  /**
   * @param key a text for which isApiKey() is true
   * @returns synchronously if the key is in memory, so that the hot path costs no promise
   * @throws DatabaseUnavailableError if the key is not in memory and PostgreSQL is away
   */
  find(key: string): CachedKey | Promise<CachedKey> {
    return this.findByDigest(digestOf(key));
  }

  /**
   * Whether any active ingest key lists the origin.
   * @throws DatabaseUnavailableError if no origins are in memory and PostgreSQL is away
   */
  async isOriginAllowed(origin: string): Promise<boolean> {
    const origins = this.origins.get('all') ?? (await this.origins.forceFetch('all'));
    return origins.has(origin);
  }

  private findByDigest(digest: string): CachedKey | Promise<CachedKey> {
    return this.keys.get(digest) ?? this.keys.forceFetch(digest);
  }

  private async lookUp(digest: string): Promise<CachedKey> {
    const hash = Buffer.from(digest, 'base64url');
    const key = await this.repository.findActive(hash);
    if (!key || !timingSafeEqual(key.hash, hash)) return INVALID_KEY;
    const { id, application, scope, allowed_origins, rate_limit } = key;
    const quota =
      environment.AUTH === 'required'
        ? this.rateLimits.quota(id, rate_limit ?? environment.RATE_LIMIT)
        : undefined;
    const isActive = async (): Promise<boolean> => (await this.findByDigest(digest)).caller !== undefined;
    return { caller: { application, scope, keyId: id, isActive, quota }, allowedOrigins: allowed_origins };
  }

  private async lookUpOrigins(): Promise<Set<string>> {
    return new Set(await this.repository.allowedOrigins());
  }
}

/** Falls back to the stale value of the cache, if there is one, while PostgreSQL is away. */
async function orStale<Value>(lookUp: Promise<Value>, stale: Value | undefined): Promise<Value> {
  try {
    return await lookUp;
  } catch (error) {
    if (stale === undefined || !(error instanceof DatabaseUnavailableError)) throw error;
    return stale;
  }
}
