import { Injectable } from '@nestjs/common';
import { Backlog } from '../../queue/backlog.js';
import { IngestionBuffer } from '../../queue/ingestion-buffer.js';
import { isProgrammingError } from '../../platform/errors/programming-error.js';
import { RedisUnavailableError } from '../../platform/redis/redis-errors.js';
import { RedisHealth } from '../../platform/redis/redis-health.js';
import type { EventCounts } from '../../platform/telemetry/metrics.js';
import { RATES_WINDOW_SECONDS } from './pending-deltas.js';
import { RatesStore } from './rates.store.js';

/** Milliseconds from the end of a second until all processes have published their counts of it. */
const PUBLISH_DELAY_MS = 500;

export interface Rates extends Record<keyof EventCounts, number[]> {
  /** The end of the last second: UTC with six fractional digits. */
  now: string;
  seconds: number;
  backlog: { events: number; jobs: number; oldest_seconds: number | null };
}

/** Reads how many events a second all processes accept, store and reject. */
@Injectable()
export class RatesService {
  constructor(
    private readonly store: RatesStore,
    private readonly redis: RedisHealth,
    private readonly backlog: Backlog,
    private readonly buffer: IngestionBuffer,
  ) {}

  /**
   * @param application of which the events are counted; undefined for all. The backlog is always that of all.
   * @throws RedisUnavailableError
   */
  async read(application: string | undefined): Promise<Rates> {
    const end = Math.floor((Date.now() - PUBLISH_DELAY_MS) / 1000);
    try {
      if (!this.redis.available) throw new RedisUnavailableError();
      const [counts, events, { jobs, oldest }] = await Promise.all([
        this.store.read(end, application),
        this.backlog.count(),
        this.buffer.report(),
      ]);
      return {
        now: new Date(end * 1000).toISOString().replace('Z', '000Z'),
        seconds: RATES_WINDOW_SECONDS,
        ...counts,
        backlog: {
          events,
          jobs,
          oldest_seconds: oldest === undefined ? null : Math.max(Date.now() - oldest, 0) / 1000,
        },
      };
    } catch (error) {
      if (isProgrammingError(error)) throw error;
      throw new RedisUnavailableError('Redis, which holds the rates, is not available right now.', {
        cause: error,
      });
    }
  }
}
