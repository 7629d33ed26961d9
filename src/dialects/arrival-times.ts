import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { now } from '../platform/time/timestamp.js';
import type { TranslatedEvent } from './dialect.js';

/** Seconds for which the arrival of an id is remembered: clients give up repeating a request within 12 hours. */
const TTL_SECONDS = 86_400;

/** Ids that one command looks up, so that Redis is not blocked for long. */
const CHUNK_SIZE = 500;

/** Returns for each key the time that it has, after it was set to the present time if it had none. */
const FIRST_ARRIVALS = `
  local times = {}
  for index, key in ipairs(KEYS) do
    times[index] = redis.call('SET', key, ARGV[1], 'NX', 'GET', 'EX', ARGV[2]) or ARGV[1]
  end
  return times`;

/**
 * The time at which the id of an event without a timestamp arrived first. Such an event happened when it arrived; when it is sent
 * again after a lost response, it must get the same time, or it would be another event.
 */
@Injectable()
export class ArrivalTimes {
  constructor(
    private readonly connections: RedisConnections,
    private readonly health: RedisHealth,
  ) {}

  /**
   * @returns the canonical time of each event that has an id and no timestamp
   * @throws RedisUnavailableError
   */
  async of(
    application: string,
    dialect: string,
    events: readonly TranslatedEvent[],
  ): Promise<ReadonlyMap<TranslatedEvent, string>> {
    const arrivals = new Map<TranslatedEvent, string>();
    const timeless = events.filter(({ id, timestamp }) => id !== undefined && timestamp === undefined);
    if (timeless.length === 0) return arrivals;
    if (!this.health.available) throw new RedisUnavailableError();
    for (let start = 0; start < timeless.length; start += CHUNK_SIZE) {
      const chunk = timeless.slice(start, start + CHUNK_SIZE);
      const keys = chunk.map(({ id }) => keyOf(application, dialect, id as string));
      const times = await this.lookUp(keys);
      for (const [index, event] of chunk.entries()) arrivals.set(event, times[index] as string);
    }
    return arrivals;
  }

  private async lookUp(keys: string[]): Promise<string[]> {
    try {
      return (await this.connections.client.eval(
        FIRST_ARRIVALS,
        keys.length,
        ...keys,
        now().text,
        TTL_SECONDS,
      )) as string[];
    } catch (error) {
      throw new RedisUnavailableError(undefined, { cause: error });
    }
  }
}

const keyOf = (application: string, dialect: string, id: string): string =>
  `the-eye:arrival:${application}:${dialect}:${hash('sha256', id, 'base64url')}`;
