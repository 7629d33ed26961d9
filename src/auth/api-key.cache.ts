import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { timingSafeEqual } from 'node:crypto';
import pLimit from 'p-limit';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { digestOf } from './api-key.js';
import { tooManyLookUps } from './auth-errors.js';
import { AuthenticationFailures } from './authentication-failures.js';
import type { Caller } from './caller.js';
import { KeyUses } from './key-uses.js';
import { OriginSet } from './origin.js';
import { KeysRepository } from './keys.repository.js';
import { RateLimits } from './rate-limits.js';

/** How long a look-up is valid, and so the time until every process rejects a revoked key. */
const TTL_MS = 2000;

/** Valid keys that are cached, and as many wrong ones. */
const MAX_KEYS = 10_000;

/** Unknown keys that are looked up at once, and that wait for a look-up. Refreshes of known keys do not wait behind them. */
const MAX_LOOKUPS = 4;
const MAX_WAITING_LOOKUPS = 200;

/** The result of a look-up. */
export interface CachedKey {
  /** Undefined if the key is unknown, revoked or was expired. */
  readonly caller?: Caller;
  /** Milliseconds since 1970; undefined if the key does not expire. */
  readonly expiresAt?: number;
  readonly allowedOrigins: OriginSet;
}

const INVALID_KEY: CachedKey = { allowedOrigins: new OriginSet([]) };

/** The caller; undefined if the key is invalid or has expired since the look-up. */
export function callerOf({ caller, expiresAt }: CachedKey): Caller | undefined {
  return expiresAt !== undefined && expiresAt <= Date.now() ? undefined : caller;
}

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

  /** Wrong keys have a cache of their own, so that they evict no valid one. */
  private readonly wrongKeys = new LRUCache<string, true>({ max: MAX_KEYS, ttl: TTL_MS });
  private readonly lookUps = new Map<string, Promise<CachedKey>>();
  private readonly limitLookUps = pLimit(MAX_LOOKUPS);

  private readonly origins = new LRUCache<'all', OriginSet>({
    max: 1,
    ttl: TTL_MS,
    noDeleteOnStaleGet: true,
    fetchMethod: (_, stale) => orStale(this.lookUpOrigins(), stale),
  });

  constructor(
    private readonly repository: KeysRepository,
    private readonly rateLimits: RateLimits,
    private readonly failures: AuthenticationFailures,
    private readonly uses: KeyUses,
  ) {}

  /**
   * A key that was valid a moment ago is found regardless of what else its address presents.
   * @param key a text for which isApiKey() is true
   * @param ip the address that presents the key
   * @returns synchronously if the key is in memory, so that the hot path costs no promise
   * @throws DomainError `rate_limited` if the address has presented too many wrong keys; UnavailableError `busy` if too many
   *   unknown keys arrive at once; DatabaseUnavailableError if the key is not in memory and PostgreSQL is away
   */
  find(key: string, ip: string): CachedKey | Promise<CachedKey> {
    const digest = digestOf(key);
    const valid = this.keys.get(digest);
    if (valid) return valid;
    if (this.keys.peek(digest, { allowStale: true })) return this.refresh(digest, ip);
    this.failures.refuseIfLimited(ip);
    if (this.wrongKeys.has(digest)) return this.wrongKey(ip);
    return this.findUnknown(digest, ip);
  }

  /** Remembers that a key was used; costs no statement. */
  noteUse({ keyId }: Caller): void {
    if (keyId !== undefined) this.uses.note(keyId);
  }

  /**
   * Whether any active ingest key lists the origin.
   * @throws DatabaseUnavailableError if no origins are in memory and PostgreSQL is away
   */
  async isOriginAllowed(origin: string): Promise<boolean> {
    const origins = this.origins.get('all') ?? (await this.origins.forceFetch('all'));
    return origins.has(origin);
  }

  private wrongKey(ip: string): CachedKey {
    this.failures.record(ip, 'unknown');
    return INVALID_KEY;
  }

  private async refresh(digest: string, ip?: string): Promise<CachedKey> {
    const found = await this.keys.forceFetch(digest);
    if (found.caller) return found;
    this.keys.delete(digest);
    this.wrongKeys.set(digest, true);
    return ip === undefined ? INVALID_KEY : this.wrongKey(ip);
  }

  private async findUnknown(digest: string, ip: string): Promise<CachedKey> {
    let lookUp = this.lookUps.get(digest);
    if (!lookUp) {
      if (this.limitLookUps.pendingCount >= MAX_WAITING_LOOKUPS) throw tooManyLookUps();
      lookUp = this.limitLookUps(() => this.lookUp(digest)).finally(() => this.lookUps.delete(digest));
      this.lookUps.set(digest, lookUp);
    }
    const found = await lookUp;
    if (!found.caller) {
      this.wrongKeys.set(digest, true);
      return this.wrongKey(ip);
    }
    this.keys.set(digest, found);
    return found;
  }

  private async lookUp(digest: string): Promise<CachedKey> {
    const hash = Buffer.from(digest, 'base64url');
    const key = await this.repository.findActive(hash);
    if (!key || !timingSafeEqual(key.hash, hash)) return INVALID_KEY;
    const caller: Caller = {
      application: key.application,
      allApplications: key.all_applications,
      scope: key.scope,
      keyId: key.id,
      keyPrefix: key.prefix,
      isActive: async () => callerOf(this.keys.get(digest) ?? (await this.refresh(digest))) !== undefined,
      quota: this.rateLimits.quota(key.id, key.rate_limit ?? environment.RATE_LIMIT),
    };
    const expiresAt = key.expires_at === null ? undefined : Date.parse(key.expires_at);
    return { caller, expiresAt, allowedOrigins: new OriginSet(key.allowed_origins) };
  }

  private async lookUpOrigins(): Promise<OriginSet> {
    return new OriginSet(await this.repository.allowedOrigins());
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
