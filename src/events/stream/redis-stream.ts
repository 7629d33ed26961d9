import { Injectable } from '@nestjs/common';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import type { StoredEvent } from '../../platform/model/event.js';
import { STREAM_FIELDS } from './stream-filter.js';

/** Events that a subscriber can resume over. */
export const MAX_STREAM_EVENTS = 5000;

/** Bytes that these events may take, in Redis and in the ring buffer of each process. */
export const MAX_STREAM_BYTES = 16 * 1024 * 1024;

/**
 * Seconds for which workers keep publishing after the last subscriber has left, so that a subscriber who reconnects
 * misses nothing.
 */
const RETENTION_SECONDS = 60;

/** Entries that one XREAD returns at most. */
const CHUNK_SIZE = 200;

/** Exists while there are subscribers. It is also the channel on which a new subscriber is announced. */
const SUBSCRIBED_KEY = 'the-eye:live:watched';
const EVENTS_KEY = 'the-eye:live:events';

/**
 * The first announcement after a time without subscribers deletes the stream: nothing was appended in that time, and a
 * subscriber that resumes from before it must not receive only what came after it. The new stream begins with an empty
 * entry, so that a subscriber has an id to resume from before any event is stored.
 */
const ANNOUNCE_SCRIPT = `
if redis.call('SET', KEYS[1], 1, 'EX', ARGV[1], 'NX') then
  redis.call('DEL', KEYS[2])
  redis.call('XADD', KEYS[2], '*', 'left_out', 0)
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[1])
redis.call('PUBLISH', KEYS[1], '')`;

/** Appends events, each with as many fields and values as ARGV[5] says, and then the number of events left out. */
const APPEND_SCRIPT = `
local subscribed, events = KEYS[1], KEYS[2]
local retention, max_events, max_bytes, left_out, width = unpack(ARGV, 1, 5)
if redis.call('EXISTS', subscribed) == 0 then return 0 end
for field = 6, #ARGV, width do
  redis.call('XADD', events, 'MAXLEN', max_events, '*', unpack(ARGV, field, field + width - 1))
end
if left_out ~= '0' then redis.call('XADD', events, 'MAXLEN', max_events, '*', 'left_out', left_out) end
local bytes = redis.pcall('MEMORY', 'USAGE', events)
if type(bytes) == 'number' and bytes > tonumber(max_bytes) then
  redis.call('XTRIM', events, 'MAXLEN', math.floor(redis.call('XLEN', events) * max_bytes / bytes))
end
redis.call('EXPIRE', events, retention)
return 1`;

/** An entry of the stream: an event, or a number of events that were left out. */
export interface StreamEntry {
  /** `<milliseconds>-<number>`; compare ids with `isAfter`. */
  id: string;
  /** Of an event: `event`, its JSON text, and the STREAM_FIELDS. Otherwise `left_out`, a number of events. */
  fields: Record<string, string>;
}

/**
 * The newest stored events as a Redis stream, which workers append to and API processes read. It exists only while there
 * are subscribers. Redis Pub/Sub would write nothing to disk, but a subscriber could not resume after a disconnect.
 */
@Injectable()
export class RedisStream {
  constructor(private readonly connections: RedisConnections) {}

  /** Declares for RETENTION_SECONDS that there are subscribers. Workers are notified at once. */
  async announceSubscriber(): Promise<void> {
    await this.connections.client.eval(ANNOUNCE_SCRIPT, 2, SUBSCRIBED_KEY, EVENTS_KEY, RETENTION_SECONDS);
  }

  /** Calls back on each announcement, and after each connect if there are subscribers already. */
  onSubscriber(callback: () => void): void {
    // ioredis does not catch the error of its own resubscription when the connection drops again.
    const subscriber = this.connections.create('subscriber', { autoResubscribe: false });
    subscriber.on('message', callback);
    subscriber.on('ready', () => {
      // A message may have been published while there was no connection, so the key is read as well.
      subscriber
        .subscribe(SUBSCRIBED_KEY)
        .then(() => this.connections.client.exists(SUBSCRIBED_KEY))
        .then((exists) => exists === 1 && callback())
        .catch(() => undefined);
    });
  }

  /**
   * @param leftOut number of stored events that are not among `events`
   * @returns false when there are no subscribers; then nothing is appended
   */
  async append(events: { event: StoredEvent; text: string }[], leftOut: number): Promise<boolean> {
    const fields = events.flatMap(({ event, text }) => [
      'event',
      text,
      ...STREAM_FIELDS.flatMap((name) => [name, event[name]]),
    ]);
    const width = 2 + 2 * STREAM_FIELDS.length;
    const values = [RETENTION_SECONDS, MAX_STREAM_EVENTS, MAX_STREAM_BYTES, leftOut, width, ...fields];
    const { client } = this.connections;
    return (await client.eval(APPEND_SCRIPT, 2, SUBSCRIBED_KEY, EVENTS_KEY, ...values)) === 1;
  }

  /**
   * Reads at most CHUNK_SIZE entries, the oldest first.
   * @param after id of the last entry that is known; `0-0` for the beginning
   * @returns `complete` is false when entries after `after` may have been trimmed
   */
  async read(after: string): Promise<{ entries: StreamEntry[]; complete: boolean }> {
    const { client } = this.connections;
    const [streams, oldest] = await Promise.all([
      client.xread('COUNT', CHUNK_SIZE, 'STREAMS', EVENTS_KEY, after),
      after === '0-0' ? [] : client.xrange(EVENTS_KEY, '-', '+', 'COUNT', 1),
    ]);
    const entries = (streams?.[0]?.[1] ?? []).map(([id, fields]) => ({ id, fields: toRecord(fields) }));
    const complete = after === '0-0' || (oldest[0] !== undefined && !isAfter(oldest[0][0], after));
    return { entries, complete };
  }
}

/** Compares two ids of entries number by number; as texts, `9-0` would come after `10-0`. */
export function isAfter(id: string, other: string): boolean {
  const [milliseconds = 0, number = 0] = id.split('-').map(Number);
  const [otherMilliseconds = 0, otherNumber = 0] = other.split('-').map(Number);
  return milliseconds === otherMilliseconds ? number > otherNumber : milliseconds > otherMilliseconds;
}

/** @param fields names and values in turn, as Redis returns them */
function toRecord(fields: string[]): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap((name, index) => (index % 2 ? [] : [[name, fields[index + 1] ?? '']])),
  );
}
