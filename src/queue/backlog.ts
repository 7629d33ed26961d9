import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { PeriodicTask } from '../platform/async/periodic-task.js';
import { environment } from '../platform/config/environment.js';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { isCommandTimeout } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { refusalOf } from '../platform/redis/redis-refusal.js';
import { IngestionBuffer } from './ingestion-buffer.js';

/** Milliseconds between two looks at Redis. Each append says more, sooner. */
const LOOK_INTERVAL_MS = 1000;

/** The same while nothing is queued or stored by this process. The first item brings the next look forward. */
const IDLE_LOOK_INTERVAL_MS = 5000;

/** The same while events are refused, so that they are soon accepted again. */
const REFUSING_LOOK_INTERVAL_MS = 250;

/** Share of Redis's `maxmemory` beyond which no items are accepted, because workers need memory to finish jobs. */
const MAX_MEMORY_SHARE = 0.9;

/** Whether Redis has room for more items, of all processes together. */
@Injectable()
export class Backlog implements OnModuleInit, BeforeApplicationShutdown {
  /** Items that are accepted and not stored, as this process has last heard. */
  items = 0;
  private memoryShare = 0;
  /** Whether this process has queued or stored items since the last look. */
  private isInUse = false;
  /** False once Redis has said that its user may not use INFO. The memory is then limited by its refusals alone. */
  private mayReadMemory = true;
  private readonly task = new PeriodicTask({
    name: 'look at the backlog',
    intervalMs: LOOK_INTERVAL_MS,
    run: () => this.look(),
  });

  constructor(
    private readonly buffer: IngestionBuffer,
    private readonly connections: RedisConnections,
    private readonly redis: RedisHealth,
  ) {}

  /** True when no more items may be accepted. */
  get full(): boolean {
    return this.items >= environment.BACKLOG_LIMIT || this.memoryShare > MAX_MEMORY_SHARE;
  }

  /** Takes over the number of items that Redis has reported when some were queued or had been stored. */
  note(items: number): void {
    this.items = items;
    this.isInUse = true;
    this.task.wake(LOOK_INTERVAL_MS);
  }

  /** The present number of items; the last known one while Redis is away. */
  async count(): Promise<number> {
    if (!this.redis.available) return this.items;
    try {
      this.items = await this.buffer.count();
    } catch (error) {
      // In a worker nothing else notices that Redis does not reply. A lost connection is noticed by RedisHealth itself.
      if (isCommandTimeout(error)) this.redis.trip();
    }
    return this.items;
  }

  onModuleInit(): void {
    this.task.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.task.stop();
  }

  /** The three commands travel together. */
  private async look(): Promise<number> {
    const isIdle = !this.isInUse;
    this.isInUse = false;
    await Promise.all([this.count(), this.readMemory(), this.redis.probeWrites()]);
    if (this.full || !this.redis.writable) return REFUSING_LOOK_INTERVAL_MS;
    return isIdle && this.items === 0 ? IDLE_LOOK_INTERVAL_MS : LOOK_INTERVAL_MS;
  }

  private async readMemory(): Promise<void> {
    if (!this.mayReadMemory) return;
    try {
      this.memoryShare = memoryShare(await this.connections.client.info('memory'));
    } catch (error) {
      this.mayReadMemory = refusalOf(error)?.code !== 'NOPERM';
    }
  }
}

/** @param info the reply of `INFO memory` */
function memoryShare(info: string): number {
  const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = number('maxmemory');
  return limit === 0 ? 0 : number('used_memory') / limit;
}
