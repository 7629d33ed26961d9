import { InjectQueue } from '@nestjs/bull';
import { Inject, Injectable } from '@nestjs/common';
import type { JobOptions, Queue } from 'bull';
import type { Redis } from 'ioredis';
import { RedisConnections } from '../platform/redis/redis-connections.js';
import { BUFFER_KEYS, BUFFER_SCRIPTS, type BufferCommands, type BufferKeys } from './buffer-scripts.js';
import { type Entry, formatEntry } from './entry.js';
import { INGESTION_QUEUE, LEASE_MS, ORDER_JOB, UNLIMITED } from './queue.constants.js';
import { WorkOrder } from './work-order.js';

/** Milliseconds between two looks for what died processes left behind. */
const SWEEP_INTERVAL_MS = 5000;

const ORDER_OPTIONS: JobOptions = {
  attempts: UNLIMITED,
  // A worker that stops fails its order, and another one takes it.
  backoff: 1000,
  removeOnComplete: true,
};

/**
 * The items that are accepted and not stored, in lists of Redis, and their exact number. Bull carries orders to empty the
 * buffer; the lease keeps producers from adding one for each item. See docs/decisions/0021-ingestion-by-appends.md.
 */
@Injectable()
export class IngestionBuffer {
  private readonly commands: BufferCommands;
  private readonly bulk: BufferCommands & Redis;
  private readonly keys: BufferKeys;
  private readonly takenPrefix: string;
  /** True if an order was due and could not be added. */
  private isOrderMissing = false;

  constructor(
    @InjectQueue(INGESTION_QUEUE) private readonly queue: Queue,
    @Inject(RedisConnections) connections: Pick<RedisConnections, 'bulk'>,
  ) {
    const keys = BUFFER_KEYS.map((name) => [name, queue.toKey(name)]);
    this.keys = Object.fromEntries(keys) as BufferKeys;
    this.takenPrefix = queue.toKey('taken:');
    this.commands = withScripts(queue.client);
    this.bulk = withScripts(connections.bulk);
  }

  /**
   * Adds entries, all or none, and an order if one is due.
   * @param items by which the number of items grows
   * @param isLarge whether others must not wait behind them
   * @returns the number of items in the buffer
   * @throws the error of ioredis
   */
  async append(entries: readonly Entry[], items: number, isLarge = false): Promise<number> {
    const { buffer, items: count, lease, wait } = this.keys;
    const [total, isDue] = await (isLarge ? this.bulkCommands : this.commands).appendEntries(
      ...[buffer, count, lease, wait, items, LEASE_MS],
      ...entries.map(formatEntry),
    );
    // What is in the buffer is accepted, whatever becomes of the order.
    if (isDue || this.isOrderMissing) void this.addOrder();
    return total;
  }

  private get bulkCommands(): BufferCommands {
    return this.bulk.status === 'ready' ? this.bulk : this.commands;
  }

  /** Adds an order. Never rejects: the next append, or the sweep of a worker, makes up for it. */
  async addOrder(): Promise<void> {
    this.isOrderMissing = false;
    await this.queue.add(ORDER_JOB, {}, ORDER_OPTIONS).catch(() => (this.isOrderMissing = true));
  }

  /** Begins a run of an order. */
  order(id: string): WorkOrder {
    return new WorkOrder(() => this.bulkCommands, this.keys, `${this.takenPrefix}${id}`, id);
  }

  /** @throws the error of ioredis */
  async count(): Promise<number> {
    return Number((await this.queue.client.get(this.keys.items)) ?? 0);
  }

  /**
   * Looks for what died processes left behind.
   * @returns milliseconds until the next look
   * @throws the error of ioredis
   */
  async sweep(): Promise<number> {
    const { buffer, orders, lease, wait } = this.keys;
    const [waiting, isDue] = await this.commands.sweepEntries(
      ...[buffer, orders, lease, wait, this.queue.toKey(''), this.takenPrefix, LEASE_MS],
    );
    if (isDue) await this.addOrder();
    return waiting > 0 ? LEASE_MS : SWEEP_INTERVAL_MS;
  }

  /**
   * @returns the number of entries and parked items, how many of them are parked, and when the oldest was accepted in
   *   milliseconds since 1970 (undefined without any)
   * @throws the error of ioredis
   */
  async report(): Promise<{ jobs: number; delayed: number; oldest: number | undefined }> {
    const { buffer, orders, delayed: delayedKey } = this.keys;
    const [jobs, oldest, delayed] = await this.commands.reportEntries(
      ...[buffer, orders, delayedKey, this.queue.toKey(''), this.takenPrefix],
    );
    return { jobs, delayed, oldest: oldest ?? undefined };
  }
}

function withScripts(connection: Redis): BufferCommands & Redis {
  for (const [name, script] of Object.entries(BUFFER_SCRIPTS)) connection.defineCommand(name, script);
  return connection as BufferCommands & Redis;
}
