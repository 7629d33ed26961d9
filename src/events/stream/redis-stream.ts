import { Injectable } from '@nestjs/common';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { FILTERED, type StreamedEvent } from './stream-filter.js';

/** Events that can be asked for again. */
export const MAX_STREAM_EVENTS = 5000;

/** Bytes that these may take, in Redis and in each process that shows them. */
export const MAX_STREAM_BYTES = 16 * 1024 * 1024;

/** Seconds for which workers go on after the last viewer has left, so that one who comes back misses nothing. */
const LINGER = 60;

/** Entries that are read at once. */
const READ = 200;

const WATCHED = 'the-eye:live:watched';
const EVENTS = 'the-eye:live:events';

/**
 * What was there before a time without viewers is forgotten: whoever asks for what came after it must not be given only
 * what came after that time. The log begins again with an entry of nothing, so that there is a place to go on from even
 * where nothing is stored for long.
 */
const WATCH = `
if redis.call('SET', KEYS[1], 1, 'EX', ARGV[1], 'NX') then
  redis.call('DEL', KEYS[2])
  redis.call('XADD', KEYS[2], '*', 'left_out', 0)
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
redis.call('PUBLISH', KEYS[1], '')`;

/** Appends events, each of as many fields as there are in ARGV[5], and the number of those left out. */
const APPEND = `
local watched, events = KEYS[1], KEYS[2]
local linger, capacity, most, left, width = unpack(ARGV, 1, 5)
if redis.call('EXISTS', watched) == 0 then return 0 end
for field = 6, #ARGV, width do
  redis.call('XADD', events, 'MAXLEN', capacity, '*', unpack(ARGV, field, field + width - 1))
end
if left ~= '0' then redis.call('XADD', events, 'MAXLEN', capacity, '*', 'left_out', left) end
local bytes = redis.pcall('MEMORY', 'USAGE', events)
if type(bytes) == 'number' and bytes > tonumber(most) then
  redis.call('XTRIM', events, 'MAXLEN', math.floor(redis.call('XLEN', events) * most / bytes))
end
redis.call('EXPIRE', events, linger)
return 1`;

/** An event, or how many were left out, in the order in which it was shown. */
export interface StreamEntry {
  /** `<milliseconds>-<number>`; later ones are greater, part by part. */
  id: string;
  /** Of an event: its JSON text, and the fields that are filtered by. Of a number of events left out: `left_out`. */
  fields: Record<string, string>;
}

/**
 * The newest stored events, passed on from the workers to the processes that show them: a stream in Redis, in which each
 * has a place by which it is found again. It is there only while somebody watches. Publish and subscribe would cost Redis
 * no disk, but could not go on where a viewer was cut off.
 */
@Injectable()
export class EventStream {
  constructor(private readonly connections: RedisConnections) {}

  /** Says that somebody watches, for LINGER seconds; workers learn of it at once. */
  async announceSubscriber(): Promise<void> {
    await this.connections.client.eval(WATCH, 2, WATCHED, EVENTS, LINGER);
  }

  /** Calls back whenever somebody says so, and once the connection is there where somebody has said so before. */
  onSubscriber(watched: () => void): void {
    // What ioredis subscribes to by itself it does without catching the error of a connection that goes again.
    const subscriber = this.connections.create('subscriber', { autoResubscribe: false });
    // RedisHealth tells the log.
    subscriber.on('error', () => undefined);
    subscriber.on('message', watched);
    subscriber.on('ready', () => {
      // Anew on each connection: a message may have passed while there was none.
      subscriber
        .subscribe(WATCHED)
        .then(() => this.connections.client.exists(WATCHED))
        .then((exists) => exists === 1 && watched())
        .catch(() => undefined);
    });
  }

  /**
   * @param leftOut events that were stored and are not among these
   * @returns false where nobody watches
   */
  async append(events: { event: StreamedEvent; text: string }[], leftOut: number): Promise<boolean> {
    const fields = events.flatMap(({ event, text }) => [
      'event',
      text,
      ...FILTERED.flatMap((name) => [name, event[name]]),
    ]);
    const width = 2 + 2 * FILTERED.length;
    const values = [LINGER, MAX_STREAM_EVENTS, MAX_STREAM_BYTES, leftOut, width, ...fields];
    return (await this.connections.client.eval(APPEND, 2, WATCHED, EVENTS, ...values)) === 1;
  }

  /**
   * Some of the entries after a place, the oldest first; none where there are none yet.
   * @param after `0-0` for the beginning
   * @returns also whether they are all: false where some may have gone by
   */
  async read(after: string): Promise<{ entries: StreamEntry[]; whole: boolean }> {
    const { client } = this.connections;
    const [streams, oldest] = await Promise.all([
      client.xread('COUNT', READ, 'STREAMS', EVENTS, after),
      after === '0-0' ? [] : client.xrange(EVENTS, '-', '+', 'COUNT', 1),
    ]);
    const entries = (streams?.[0]?.[1] ?? []).map(([id, fields]) => ({ id, fields: named(fields) }));
    const whole = after === '0-0' || (oldest[0] !== undefined && !isLater(oldest[0][0], after));
    return { entries, whole };
  }
}

/** True where the first place comes after the second. */
export function isLater(one: string, other: string): boolean {
  const [milliseconds = 0, number = 0] = one.split('-').map(Number);
  const [otherMilliseconds = 0, otherNumber = 0] = other.split('-').map(Number);
  return milliseconds === otherMilliseconds ? number > otherNumber : milliseconds > otherMilliseconds;
}

function named(fields: string[]): Record<string, string> {
  return Object.fromEntries(fields.flatMap((name, at) => (at % 2 ? [] : [[name, fields[at + 1] ?? '']])));
}
