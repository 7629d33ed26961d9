import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { COUNTED, type EventCounts } from '../../platform/telemetry/metrics.js';
import { WINDOW_SECONDS } from './pending-deltas.js';

/** Seconds whose counts share a key of Redis. */
const SPAN_SECONDS = 60;

/** Seconds after which a key expires. */
const TTL_SECONDS = WINDOW_SECONDS + 2 * SPAN_SECONDS;

const keyOf = (span: number): string => `the-eye:pulse:${span}`;

/**
 * The counts of all processes in Redis, in one hash a minute. Each process has its own field for each second, so that a
 * second that is written again, because Redis did not reply, counts once.
 */
@Injectable()
export class RatesStore {
  private readonly processId = randomUUID();

  constructor(private readonly connections: RedisConnections) {}

  /** @param deltas the counts of this process by second */
  async write(deltas: Map<number, EventCounts>): Promise<void> {
    const spans = new Map<number, Record<string, string>>();
    for (const [second, counts] of deltas) {
      const span = Math.floor(second / SPAN_SECONDS);
      const fields = spans.get(span) ?? {};
      fields[`${second}:${this.processId}`] = COUNTED.map((name) => counts[name]).join();
      spans.set(span, fields);
    }
    const { client } = this.connections;
    const writes = [...spans].flatMap(([span, fields]) => [
      client.hset(keyOf(span), fields),
      client.expire(keyOf(span), TTL_SECONDS),
    ]);
    await Promise.all(writes);
  }

  /**
   * The sums of all processes.
   * @param end the second, since 1970, before which WINDOW_SECONDS are read
   * @returns one number a second, the oldest first
   */
  async read(end: number): Promise<Record<keyof EventCounts, number[]>> {
    const start = end - WINDOW_SECONDS;
    const first = Math.floor(start / SPAN_SECONDS);
    const keys = Array.from({ length: Math.floor((end - 1) / SPAN_SECONDS) - first + 1 }, (_, index) =>
      keyOf(first + index),
    );
    const hashes = await Promise.all(keys.map((key) => this.connections.client.hgetall(key)));
    const sums = COUNTED.map(() => new Array<number>(WINDOW_SECONDS).fill(0));
    for (const [field, counts] of hashes.flatMap((hash) => Object.entries(hash))) {
      const offset = Number.parseInt(field) - start;
      if (offset < 0 || offset >= WINDOW_SECONDS) continue;
      for (const [index, count] of counts.split(',').entries()) {
        const sum = sums[index];
        if (sum) sum[offset] = (sum[offset] ?? 0) + Number(count);
      }
    }
    return Object.fromEntries(COUNTED.map((name, index) => [name, sums[index]])) as Record<
      keyof EventCounts,
      number[]
    >;
  }
}
