import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { environment } from '../platform/config/environment.js';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { KeyQuota, type TakenPoints } from './key-quota.js';

const WINDOW_SECONDS = 60;

/** A request waits this long for the shared counter at most, so that it is answered within two seconds. */
const TAKE_TIMEOUT_MS = 250;

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
    if (environment.AUTH === 'off') return;
    // A separate connection, so that taking points does not wait behind a large batch of events. Without the ready check,
    // whose command could miss the short timeout and end the connection.
    this.redis = connections.create('client', { commandTimeout: TAKE_TIMEOUT_MS, enableReadyCheck: false });
  }

  /** @param limit points in a window */
  quota(keyId: string, limit: number): KeyQuota {
    const known = this.quotas.get(keyId);
    if (known?.limit === limit) return known;
    const limiter = new RateLimiterRedis({
      storeClient: this.redis,
      points: limit,
      duration: WINDOW_SECONDS,
      keyPrefix: 'the-eye:rate',
      customIncrTtlLuaScript: TAKE_ALL_OR_NONE,
    });
    const quota = new KeyQuota(limit, WINDOW_SECONDS * 1000, (points) => this.take(limiter, keyId, points));
    this.quotas.set(keyId, quota);
    return quota;
  }

  /** @throws Error if Redis is away or misses the timeout */
  private async take(limiter: RateLimiterRedis, keyId: string, points: number): Promise<TakenPoints> {
    if (!this.health.available) throw new Error('Redis is not available.');
    try {
      const { remainingPoints, msBeforeNext } = await limiter.consume(keyId, points);
      return { taken: points, remaining: remainingPoints, windowEndsAt: Date.now() + msBeforeNext };
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const { consumedPoints, msBeforeNext } = error;
      // Negative without a window; one that began now would last that long.
      const leftMs = msBeforeNext < 0 ? WINDOW_SECONDS * 1000 : msBeforeNext;
      return {
        taken: 0,
        remaining: limiter.points - (consumedPoints - points),
        windowEndsAt: Date.now() + leftMs,
      };
    }
  }
}
