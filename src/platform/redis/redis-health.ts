import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { retryForever } from '../async/retry-forever.js';
import { RedisConnections } from './redis-connections.js';
import { isCommandTimeout } from './redis-errors.js';

const PROBE_INTERVAL_MS = 200;

/** Whether Redis replies, and whether its settings make it durable. Contains the circuit breaker of the queue. */
@Injectable()
export class RedisHealth implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private readonly stopped = new AbortController();
  /** True while the circuit breaker is open. */
  private isTripped = false;

  constructor(private readonly connections: RedisConnections) {}

  /** False while Redis is disconnected, or connected but not replying. */
  get available(): boolean {
    return !this.isTripped && this.connections.client.status === 'ready';
  }

  /** Resolves when Redis is connected for the first time. */
  async ready(): Promise<void> {
    const { client } = this.connections;
    // `once` of node:events would reject when the first connection is refused.
    if (client.status !== 'ready') await new Promise<void>((resolve) => client.once('ready', resolve));
  }

  onModuleInit(): void {
    const { client } = this.connections;
    let isDown = false;
    client.on('ready', () => {
      if (isDown) this.logger.log('Redis is available again.');
      isDown = false;
      void this.checkDurability();
    });
    client.on('close', () => {
      if (!isDown && !this.stopped.signal.aborted)
        this.logger.warn('Redis is unavailable; events get 503 until it is connected again.');
      isDown = true;
    });
  }

  /** Nest shuts global modules down last, in the reverse order of their import: after everything that uses Redis. */
  onApplicationShutdown(): void {
    this.stopped.abort();
    this.connections.close();
  }

  /** Opens the circuit breaker: until a PING succeeds, producers fail fast instead of timing out. */
  trip(): void {
    if (this.isTripped) return;
    this.isTripped = true;
    this.logger.warn('Redis does not reply; events get 503 until it does.');
    this.probe().then(
      () => (this.isTripped = false),
      () => undefined,
    );
  }

  /** Resolves when Redis replies to a PING. Rejects when the process stops. */
  private async probe(): Promise<void> {
    await retryForever(() => this.connections.client.ping(), {
      signal: this.stopped.signal,
      minBackoffMs: PROBE_INTERVAL_MS,
      maxBackoffMs: PROBE_INTERVAL_MS,
      onFailure: (error) => {
        const { client } = this.connections;
        // This connection may be dead without any report of it, so a later PING uses a new one. Other errors are not a reason:
        // ioredis takes up to two seconds to disconnect, in which every PING fails at once.
        if (isCommandTimeout(error) && client.status === 'ready') client.disconnect(true);
      },
    });
  }

  /** A 202 promises durability, which depends on the settings of Redis. */
  private async checkDurability(): Promise<void> {
    try {
      const [append, fsync, eviction] = await Promise.all(
        ['appendonly', 'appendfsync', 'maxmemory-policy'].map((name) => this.setting(name)),
      );
      if (append !== 'yes') {
        this.warnNotDurable(
          `appendonly is "${append}": accepted events are LOST when Redis stops. Set appendonly yes.`,
        );
      } else if (fsync !== 'always') {
        this.warnNotDurable(
          `appendfsync is "${fsync}": events accepted in the last second are LOST in a crash. Set appendfsync always.`,
        );
      }
      if (eviction !== 'noeviction') {
        this.warnNotDurable(
          `maxmemory-policy is "${eviction}": a full Redis DELETES accepted events. Set maxmemory-policy noeviction.`,
        );
      }
    } catch (error) {
      this.logger.warn(
        `The settings of Redis cannot be read (${(error as Error).message}). Make sure that it is durable.`,
      );
    }
  }

  private async setting(name: string): Promise<string | undefined> {
    const [, value] = (await this.connections.client.config('GET', name)) as string[];
    return value;
  }

  private warnNotDurable(warning: string): void {
    this.logger.warn(`!!! Redis is not durable: ${warning}`);
  }
}
