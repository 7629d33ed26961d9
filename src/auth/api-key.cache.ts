import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { timingSafeEqual } from 'node:crypto';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import type { Caller } from './caller.js';
import { ApplicationsRepository } from '../applications/applications.repository.js';
import { digestOf } from './api-key.js';
import { RateLimits } from './rate-limits.js';

/** Milliseconds that a process believes what it knows of a key: so soon a revocation counts. */
const LIFE = 2000;

/** Keys that a process remembers, good and bad ones together. */
const MOST = 10_000;

/** What is known of a key: whose it is, and the origins that it names; nothing where it is wrong or revoked. */
export interface KnownKey {
  readonly caller?: Caller;
  readonly origins: readonly string[];
}

const NOT_GOOD: KnownKey = { origins: [] };

/**
 * Who a key belongs to, from memory. What was known goes on to count while PostgreSQL is away; a look-up that failed is
 * tried again only when the life of what was known has passed once more, so that an outage slows nobody down.
 */
@Injectable()
export class ApiKeyCache {
  private readonly known = new LRUCache<string, KnownKey>({
    max: MOST,
    ttl: LIFE,
    noDeleteOnStaleGet: true,
    // Whoever waits for a look-up gets its result, also where a flood of others has pushed it out meanwhile.
    ignoreFetchAbort: true,
    fetchMethod: (digest, stale) => unlessAway(this.lookUp(digest), stale),
  });

  private readonly origins = new LRUCache<'all', Set<string>>({
    max: 1,
    ttl: LIFE,
    noDeleteOnStaleGet: true,
    fetchMethod: (_, stale) => unlessAway(this.lookUpOrigins(), stale),
  });

  constructor(
    private readonly repository: ApplicationsRepository,
    private readonly rateLimits: RateLimits,
  ) {}

  /**
   * At once where the key is in memory.
   * @param key in the form of a key (see isKey)
   * @throws DatabaseUnavailableError where it is not in memory and PostgreSQL is away
   */
  find(key: string): KnownKey | Promise<KnownKey> {
    return this.know(digestOf(key));
  }

  /** Whether any good ingest key names this origin. */
  async isOriginAllowed(origin: string): Promise<boolean> {
    const origins = this.origins.get('all') ?? (await this.origins.forceFetch('all'));
    return origins.has(origin);
  }

  private know(digest: string): KnownKey | Promise<KnownKey> {
    return this.known.get(digest) ?? this.known.forceFetch(digest);
  }

  private async lookUp(digest: string): Promise<KnownKey> {
    const hash = Buffer.from(digest, 'base64url');
    const key = await this.repository.findActiveKey(hash);
    if (!key || !timingSafeEqual(key.hash, hash)) return NOT_GOOD;
    const { id, application, scope, allowed_origins, rate_limit } = key;
    const quota =
      environment.AUTH === 'required'
        ? this.rateLimits.quota(id, rate_limit ?? environment.RATE_LIMIT)
        : undefined;
    const isActive = async (): Promise<boolean> => (await this.know(digest)).caller !== undefined;
    return { caller: { application, scope, keyId: id, isActive, quota }, origins: allowed_origins };
  }

  private async lookUpOrigins(): Promise<Set<string>> {
    return new Set(await this.repository.origins());
  }
}

async function unlessAway<Value>(lookUp: Promise<Value>, stale: Value | undefined): Promise<Value> {
  try {
    return await lookUp;
  } catch (error) {
    if (stale === undefined || !(error instanceof DatabaseUnavailableError)) throw error;
    return stale;
  }
}
