import { Injectable } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import { RedisConnections } from '../../platform/redis/redis-connections.js';
import { COUNTED, type EventCounts } from '../../platform/telemetry/metrics.js';
import { SECONDS } from './event-rates.js';

/** Seconds that have a key of Redis together. */
const SPAN = 60;

/** Seconds after which a key goes. */
const LIFE = SECONDS + 2 * SPAN;

const keyOf = (span: number): string => `the-eye:pulse:${span}`;

/**
 * The counts of all processes in Redis, a hash a minute. Each process has its own field for each second, so that one it
 * writes twice, because no answer came, counts once.
 */
@Injectable()
export class RatesStore {
  private readonly process = randomUUID();

  constructor(private readonly connections: RedisConnections) {}

  async write(seconds: Map<number, EventCounts>): Promise<void> {
    const spans = new Map<number, Record<string, string>>();
    for (const [second, counts] of seconds) {
      const span = Math.floor(second / SPAN);
      const fields = spans.get(span) ?? {};
      fields[`${second}:${this.process}`] = COUNTED.map((name) => counts[name]).join();
      spans.set(span, fields);
    }
    const { client } = this.connections;
    const writes = [...spans].flatMap(([span, fields]) => [
      client.hset(keyOf(span), fields),
      client.expire(keyOf(span), LIFE),
    ]);
    await Promise.all(writes);
  }

  /**
   * The sums of all processes.
   * @param end the second, since 1970, before which SECONDS are read
   * @returns a number for each second, the oldest first
   */
  async read(end: number): Promise<Record<keyof EventCounts, number[]>> {
    const start = end - SECONDS;
    const first = Math.floor(start / SPAN);
    const keys = Array.from({ length: Math.floor((end - 1) / SPAN) - first + 1 }, (_, at) =>
      keyOf(first + at),
    );
    const hashes = await Promise.all(keys.map((key) => this.connections.client.hgetall(key)));
    const sums = COUNTED.map(() => new Array<number>(SECONDS).fill(0));
    for (const [field, counts] of hashes.flatMap((hash) => Object.entries(hash))) {
      const at = Number.parseInt(field) - start;
      if (at < 0 || at >= SECONDS) continue;
      for (const [index, count] of counts.split(',').entries()) {
        const sum = sums[index];
        if (sum) sum[at] = (sum[at] ?? 0) + Number(count);
      }
    }
    return Object.fromEntries(COUNTED.map((name, index) => [name, sums[index]])) as Record<
      keyof EventCounts,
      number[]
    >;
  }
}
