import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { COUNTED, type EventCounts } from '../../platform/telemetry/metrics.js';
import { RATES_WINDOW_SECONDS } from './pending-deltas.js';

/** Seconds whose counts share a key of Redis. */
const SPAN_SECONDS = 60;

/** Seconds after which a key expires. */
const TTL_SECONDS = RATES_WINDOW_SECONDS + 2 * SPAN_SECONDS;

/** @param application of which the counts are; undefined for all of them together */
const keyOf = (span: number, application: string | undefined): string =>
  `the-eye:pulse:${span}${application === undefined ? '' : `:${application}`}`;

/**
 * The counts of all processes in Redis, in one hash a minute. Each process has its own field for each second, so that a
 * second that is written again, because Redis did not reply, counts once.
 */
@Injectable()
export class RatesStore {
  private readonly processId = randomUUID();

  constructor(private readonly connections: RedisConnections) {}

  /**
   * @param deltas the counts of this process by second
   * @param application of which they are; undefined for all of them together
   */
  async write(deltas: Map<number, EventCounts>, application: string | undefined): Promise<void> {
    const spans = new Map<number, Record<string, string>>();
    for (const [second, counts] of deltas) {
      const span = Math.floor(second / SPAN_SECONDS);
      const fields = spans.get(span) ?? {};
      fields[`${second}:${this.processId}`] = COUNTED.map((name) => counts[name]).join();
      spans.set(span, fields);
    }
    const { client } = this.connections;
    const writes = [...spans].flatMap(([span, fields]) => [
      client.hset(keyOf(span, application), fields),
      client.expire(keyOf(span, application), TTL_SECONDS),
    ]);
    await Promise.all(writes);
  }

  /**
   * The sums of all processes.
   * @param end the second, since 1970, before which RATES_WINDOW_SECONDS are read
   * @param application of which the counts are; undefined for all of them together
   * @returns one number a second, the oldest first
   */
  async read(end: number, application: string | undefined): Promise<Record<keyof EventCounts, number[]>> {
    const start = end - RATES_WINDOW_SECONDS;
    const first = Math.floor(start / SPAN_SECONDS);
    const keys = Array.from({ length: Math.floor((end - 1) / SPAN_SECONDS) - first + 1 }, (_, index) =>
      keyOf(first + index, application),
    );
    const hashes = await Promise.all(keys.map((key) => this.connections.client.hgetall(key)));
    const sums = COUNTED.map(() => new Array<number>(RATES_WINDOW_SECONDS).fill(0));
    for (const [field, counts] of hashes.flatMap((hash) => Object.entries(hash))) {
      const offset = Number.parseInt(field) - start;
      if (offset < 0 || offset >= RATES_WINDOW_SECONDS) continue;
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
