import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Redis } from 'ioredis';
import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../platform/config/environment.js';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { KeyQuota, type Taken } from './key-quota.js';

/** Seconds. */
const WINDOW = 60;

/** Milliseconds that a sender waits for the count at the most; an answer has to be there within two seconds. */
const PATIENCE = 250;

/** Quotas that a process remembers. */
const MOST = 10_000;

/** Takes all the points that are asked for, or none, where the library's own script counts also what it refuses. */
const TAKE_ALL_OR_NONE = `
  local taken = tonumber(redis.call('get', KEYS[1]) or '0') + tonumber(ARGV[1])
  if taken > tonumber(ARGV[3]) then return { taken, redis.call('pttl', KEYS[1]) } end
  redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
  redis.call('incrby', KEYS[1], ARGV[1])
  return { taken, redis.call('pttl', KEYS[1]) }`;

/** How much each key may still send in this minute, counted in Redis for all processes together. */
@Injectable()
export class RateLimits {
  private readonly redis: Redis | undefined;
  private readonly limiters = new Map<number, RateLimiterRedis>();
  private readonly quotas = new LRUCache<string, KeyQuota>({ max: MOST });

  constructor(
    connections: RedisConnections,
    private readonly health: RedisHealth,
  ) {
    if (environment.AUTH === 'off') return;
    // A connection of its own, so that counting does not wait behind a large group of events.
    this.redis = connections.create('client');
    // RedisHealth tells the log.
    this.redis.on('error', () => undefined);
  }

  /** @param limit points in a window */
  quota(keyId: string, limit: number): KeyQuota {
    const known = this.quotas.get(keyId);
    if (known?.limit === limit) return known;
    const quota = new KeyQuota(limit, WINDOW * 1000, (points) => this.take(keyId, limit, points));
    this.quotas.set(keyId, quota);
    return quota;
  }

  /** @throws Error where Redis does not tell */
  private async take(keyId: string, limit: number, points: number): Promise<Taken> {
    if (!this.health.available || !this.redis) throw new Error('Redis is away.');
    const timer = new AbortController();
    const late = wait(PATIENCE, undefined, { signal: timer.signal }).then(() => {
      throw new Error('Redis is late.');
    });
    try {
      const { remainingPoints, msBeforeNext } = await Promise.race([
        this.limiter(limit, this.redis).consume(keyId, points),
        late,
      ]);
      return { taken: points, remaining: remainingPoints, ends: Date.now() + msBeforeNext };
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const { consumedPoints, msBeforeNext } = error;
      // Without a window yet, one that begins now would be as long as any.
      const left = msBeforeNext < 0 ? WINDOW * 1000 : msBeforeNext;
      return { taken: 0, remaining: limit - (consumedPoints - points), ends: Date.now() + left };
    } finally {
      timer.abort();
    }
  }

  private limiter(limit: number, storeClient: Redis): RateLimiterRedis {
    let limiter = this.limiters.get(limit);
    if (!limiter) {
      limiter = new RateLimiterRedis({
        storeClient,
        points: limit,
        duration: WINDOW,
        keyPrefix: 'the-eye:rate',
        customIncrTtlLuaScript: TAKE_ALL_OR_NONE,
      });
      this.limiters.set(limit, limiter);
    }
    return limiter;
  }
}
