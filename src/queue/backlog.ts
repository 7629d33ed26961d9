import { InjectQueue } from '@nestjs/bull';
import { Injectable, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { Queue } from 'bull';
import { environment } from '../platform/config/environment.js';
import { INGESTION_QUEUE, UNFINISHED } from './queue.constants.js';
import { isCommandTimeout } from './queue-errors.js';
import { RedisHealth } from '../platform/redis/redis-health.js';

/** Milliseconds between two looks at the backlog. */
const INTERVAL = 250;

/** Share of Redis's `maxmemory` beyond which nothing more is accepted: workers need room to finish jobs. */
const MEMORY_SHARE = 0.9;

/**
 * Jobs that wait or are under way, and the items in them. The items are counted beside Bull's lists, not in one
 * transaction with them, so a crash may leave the count a little off: whenever no job is left it starts from zero again.
 */
const COUNT = `
local jobs = redis.call('LLEN', KEYS[1]) + redis.call('LLEN', KEYS[2]) + redis.call('ZCARD', KEYS[3])
if jobs == 0 then redis.call('DEL', KEYS[4])
elseif ARGV[1] ~= '0' then redis.call('INCRBY', KEYS[4], ARGV[1]) end
return tonumber(redis.call('GET', KEYS[4]) or '0')`;

/** How much waits in Redis, looked at a few times a second. */
@Injectable()
export class Backlog implements OnModuleInit, BeforeApplicationShutdown {
  /** Items waiting or under way. */
  items = 0;
  /** What was counted here since the last look; told to the others with the next. */
  private pendingDelta = 0;
  private memoryShare = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    private readonly redis: RedisHealth,
  ) {}

  /** True where nothing more should be accepted. */
  get full(): boolean {
    return this.items >= environment.BACKLOG_LIMIT || this.memoryShare > MEMORY_SHARE;
  }

  /**
   * Notes items that were put into the queue, or taken out: negative. A worker may take out what it has not yet been told
   * of, so what it knows ends at zero; what it tells does not.
   */
  count(items: number): void {
    this.items = Math.max(this.items + items, 0);
    this.pendingDelta += items;
  }

  onModuleInit(): void {
    void this.keepLooking();
  }

  /** Tells the others what was counted last. */
  async beforeApplicationShutdown(): Promise<void> {
    clearTimeout(this.timer);
    this.stopped = true;
    await this.look();
  }

  private async keepLooking(): Promise<void> {
    await this.look();
    if (!this.stopped) this.timer = setTimeout(() => void this.keepLooking(), INTERVAL).unref();
  }

  private async look(): Promise<void> {
    const { client } = this.queue;
    const keys = [...UNFINISHED, 'items'].map((name) => this.queue.toKey(name));
    const told = this.pendingDelta;
    try {
      const [items, memory] = await Promise.all([
        client.eval(COUNT, keys.length, ...keys, told) as Promise<number>,
        client.info('memory'),
      ]);
      this.pendingDelta -= told;
      this.items = Math.max(items + this.pendingDelta, 0);
      this.memoryShare = memoryShare(memory);
    } catch (error) {
      // A worker has nobody else who would notice that Redis is silent; one that is away shows by itself.
      if (isCommandTimeout(error)) this.redis.trip();
    }
  }
}

function memoryShare(info: string): number {
  const number = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = number('maxmemory');
  return limit === 0 ? 0 : number('used_memory') / limit;
}
