import { Injectable } from '@nestjs/common';
import { hash } from 'node:crypto';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { RedisUnavailableError } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { now } from '../platform/time/timestamp.js';
import type { TranslatedEvent } from './dialect.js';

/** Seconds for which the arrival of an id is remembered at least: clients give up repeating a request within 12 hours. */
const TTL_SECONDS = 86_400;

/**
 * Ids of an application that each of its two hashes holds, about 25 MiB: a sender without timestamps must not fill the memory in
 * which the events of all applications wait. Beyond that the oldest are forgotten sooner.
 */
const MAX_IDS = 250_000;

/** Ids that one command looks up, so that Redis is not blocked for long. */
const CHUNK_SIZE = 500;

/** Characters of a digest, 128 bits. */
const DIGEST_LENGTH = 22;

/**
 * Returns for each id the time that it has, after it was set to the given time if it had none. The fields of a hash cannot expire
 * one by one in every version of Redis, so the recent hash becomes the earlier one once it is a day old or full.
 */
const FIRST_ARRIVALS = `
  local recent, earlier = KEYS[1], KEYS[2]
  local time, ttl, max = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
  local left = redis.call('TTL', recent)
  if left >= 0 and (left < ttl or redis.call('HLEN', recent) >= max) then
    redis.call('UNLINK', earlier)
    redis.call('RENAME', recent, earlier)
  end
  local times = {}
  for index = 4, #ARGV do
    local id = ARGV[index]
    local known = redis.call('HGET', recent, id) or redis.call('HGET', earlier, id)
    if not known then redis.call('HSET', recent, id, time) end
    times[index - 3] = known or time
  end
  if redis.call('TTL', recent) == -1 then redis.call('EXPIRE', recent, 2 * ttl) end
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
   * @param arrival canonical; the time of the ids that are not known
   * @returns the canonical time of each event that has an id and no timestamp
   * @throws RedisUnavailableError
   */
  async of(
    application: string,
    dialect: string,
    events: readonly TranslatedEvent[],
    arrival = now().text,
  ): Promise<ReadonlyMap<TranslatedEvent, string>> {
    const arrivals = new Map<TranslatedEvent, string>();
    const timeless = events.filter(({ id, timestamp }) => id !== undefined && timestamp === undefined);
    if (timeless.length === 0) return arrivals;
    if (!this.health.available) throw new RedisUnavailableError();
    for (let start = 0; start < timeless.length; start += CHUNK_SIZE) {
      const chunk = timeless.slice(start, start + CHUNK_SIZE);
      const ids = chunk.map(({ id }) => digestOf(dialect, id as string));
      const times = await this.lookUp(application, ids, arrival);
      for (const [index, event] of chunk.entries()) arrivals.set(event, times[index] as string);
    }
    return arrivals;
  }

  private async lookUp(application: string, ids: string[], arrival: string): Promise<string[]> {
    const key = `the-eye:arrivals:{${application}}`;
    try {
      return (await this.connections.client.eval(
        FIRST_ARRIVALS,
        2,
        `${key}:recent`,
        `${key}:earlier`,
        arrival,
        TTL_SECONDS,
        MAX_IDS,
        ...ids,
      )) as string[];
    } catch (error) {
      throw new RedisUnavailableError(undefined, { cause: error });
    }
  }
}

/** Short, since so many are kept. The name of a dialect has no blanks. */
const digestOf = (dialect: string, id: string): string =>
  hash('sha256', `${dialect} ${id}`, 'base64url').slice(0, DIGEST_LENGTH);
