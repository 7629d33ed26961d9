import { Injectable } from '@nestjs/common';
import { Backlog } from '../../queue/backlog.js';
import { BacklogReport } from '../../queue/backlog-report.js';
import { QueueUnavailableError } from '../../queue/queue-errors.js';
import { RedisHealth } from '../../platform/redis/redis-health.js';
import type { EventCounts } from '../../platform/telemetry/metrics.js';
import { SECONDS } from './event-rates.js';
import { RatesStore } from './rates.store.js';

/** Milliseconds after the end of a second at which all processes have told what they counted in it. */
const DELAY = 500;

export interface Rates extends Record<keyof EventCounts, number[]> {
  /** The end of the last second, as a canonical timestamp. */
  now: string;
  seconds: number;
  backlog: { events: number; jobs: number; oldest_seconds: number | null };
}

/** How many events all processes together take, store and refuse. */
@Injectable()
export class RatesService {
  constructor(
    private readonly store: RatesStore,
    private readonly redis: RedisHealth,
    private readonly backlog: Backlog,
    private readonly report: BacklogReport,
  ) {}

  /** @throws QueueUnavailableError */
  async read(): Promise<Rates> {
    const end = Math.floor((Date.now() - DELAY) / 1000);
    try {
      if (!this.redis.available) throw new QueueUnavailableError();
      const [counts, { jobs, oldest }] = await Promise.all([this.store.read(end), this.report.read()]);
      return {
        now: new Date(end * 1000).toISOString().replace('Z', '000Z'),
        seconds: SECONDS,
        ...counts,
        backlog: {
          events: this.backlog.items,
          jobs,
          oldest_seconds: oldest === undefined ? null : Math.max(Date.now() - oldest, 0) / 1000,
        },
      };
    } catch (error) {
      throw new QueueUnavailableError('Redis, which has the rates, is not available right now.', {
        cause: error,
      });
    }
  }
}
