import { InjectQueue } from '@nestjs/bull';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Queue } from 'bull';
import { PeriodicTask } from '../platform/async/periodic-task.js';
import { environment } from '../platform/config/environment.js';
import { isCommandTimeout } from '../platform/redis/redis-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';
import { refusalOf } from '../platform/redis/redis-refusal.js';
import { INGESTION_QUEUE, UNFINISHED_LISTS } from './queue.constants.js';

const SYNC_INTERVAL_MS = 250;

/** Share of Redis's `maxmemory` beyond which no items are accepted, because workers need memory to finish jobs. */
const MAX_MEMORY_SHARE = 0.9;

/**
 * Adds a delta to the number of items in unfinished jobs, and returns the sum. The number is not part of Bull's
 * transactions, so a crash may leave it slightly wrong; it is reset whenever no job is left.
 */
const SYNC_SCRIPT = `
local jobs = redis.call('LLEN', KEYS[1]) + redis.call('LLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3])
if jobs == 0 then redis.call('DEL', KEYS[4])
elseif ARGV[1] ~= '0' then redis.call('INCRBY', KEYS[4], ARGV[1]) end
return tonumber(redis.call('GET', KEYS[4]) or '0')`;

/** The number of items in unfinished jobs. All processes share it through Redis and synchronize it a few times a second. */
@Injectable()
export class Backlog implements OnModuleInit, BeforeApplicationShutdown {
  /** Items that are queued or in flight. */
  items = 0;
  /** What this process counted since the last synchronization. */
  private pendingDelta = 0;
  private memoryShare = 0;
  /** False once Redis has said that its user may not use INFO. The memory is then limited by its refusals alone. */
  private mayReadMemory = true;
  private readonly task = new PeriodicTask({
    name: 'synchronize the backlog',
    intervalMs: SYNC_INTERVAL_MS,
    run: () => this.synchronize(),
  });

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly redis: RedisHealth,
  ) {}

  /** True when no more items may be accepted. */
  get full(): boolean {
    return this.items >= environment.BACKLOG_LIMIT || this.memoryShare > MAX_MEMORY_SHARE;
  }

  /**
   * Counts items that were added to the queue, or removed from it (negative). A worker may remove items before it has
   * read that they were added, so `items` is clamped at zero; the delta is not.
   */
  count(items: number): void {
    this.items = Math.max(this.items + items, 0);
    this.pendingDelta += items;
  }

  onModuleInit(): void {
    this.task.start();
  }

  /** Publishes the last delta of this process. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.task.stop();
    await this.synchronize();
  }

  /** The three commands travel together. */
  private async synchronize(): Promise<void> {
    await Promise.all([this.synchronizeItems(), this.readMemory(), this.redis.probeWrites()]);
  }

  private async synchronizeItems(): Promise<void> {
    const keys = [...UNFINISHED_LISTS, 'items'].map((name) => this.queue.toKey(name));
    const delta = this.pendingDelta;
    try {
      const items = (await this.queue.client.eval(SYNC_SCRIPT, keys.length, ...keys, delta)) as number;
      this.pendingDelta -= delta;
      this.items = Math.max(items + this.pendingDelta, 0);
    } catch (error) {
      // In a worker nothing else notices that Redis does not reply. A lost connection is noticed by RedisHealth itself.
      if (isCommandTimeout(error)) this.redis.trip();
    }
  }

  private async readMemory(): Promise<void> {
    if (!this.mayReadMemory) return;
    try {
      this.memoryShare = memoryShare(await this.queue.client.info('memory'));
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
