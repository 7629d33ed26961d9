import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { metrics } from '../platform/telemetry/metrics.js';
import { KeyQuota, type SharedPoints } from './key-quota.js';

const QUOTA_WINDOW_SECONDS = 60;

/** Quotas in memory, one a key. */
const MAX_QUOTAS = 10_000;

/** Takes all the points or none. The script of the library would count rejected points too. */
const TAKE_ALL_OR_NONE = `
  local consumed = tonumber(redis.call('get', KEYS[1]) or '0') + tonumber(ARGV[1])
  if consumed > tonumber(ARGV[3]) then return { consumed, redis.call('pttl', KEYS[1]) } end
  redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
  redis.call('incrby', KEYS[1], ARGV[1])
  return { consumed, redis.call('pttl', KEYS[1]) }`;

/** The quotas of keys, counted in Redis for all processes together. */
@Injectable()
export class RateLimits {
  private readonly redis: Redis | undefined;
  private readonly quotas = new LRUCache<string, KeyQuota>({ max: MAX_QUOTAS });

  constructor(
    connections: RedisConnections,
    private readonly health: RedisHealth,
  ) {
    // A separate connection, so that taking points does not wait behind a large batch of events.
    this.redis = connections.create('client');
  }

  /** @param limit points in a window */
  quota(keyId: string, limit: number): KeyQuota {
    const known = this.quotas.get(keyId);
    if (known?.limit === limit) return known;
    const take = this.limiter(limit);
    const charge = this.limiter(Number.MAX_SAFE_INTEGER);
    const quota = new KeyQuota(
      limit,
      QUOTA_WINDOW_SECONDS * 1000,
      {
        take: (points) => this.consume(take, keyId, points, limit),
        charge: (points) => this.consume(charge, keyId, points, limit),
      },
      metrics.passedUncounted,
    );
    this.quotas.set(keyId, quota);
    return quota;
  }

  private limiter(points: number): RateLimiterRedis {
    return new RateLimiterRedis({
      storeClient: this.redis,
      points,
      duration: QUOTA_WINDOW_SECONDS,
      keyPrefix: 'the-eye:rate',
      // The library keeps one script a connection, so all limiters share it.
      customIncrTtlLuaScript: TAKE_ALL_OR_NONE,
    });
  }

  /** @throws Error if Redis is away */
  private async consume(
    limiter: RateLimiterRedis,
    keyId: string,
    points: number,
    limit: number,
  ): Promise<SharedPoints> {
    if (!this.health.available) throw new Error('Redis is not available.');
    let taken = points;
    const { consumedPoints, msBeforeNext } = await limiter.consume(keyId, points).catch((error: unknown) => {
      if (!(error instanceof RateLimiterRes)) throw error;
      taken = 0;
      return error;
    });
    // The script counts refused points in its reply only.
    const remaining = Math.max(0, limit - consumedPoints + points - taken);
    // Negative without a window; one that began now would last that long.
    const leftMs = msBeforeNext < 0 ? QUOTA_WINDOW_SECONDS * 1000 : msBeforeNext;
    return { taken, remaining, windowEndsAt: Date.now() + leftMs };
  }
}
