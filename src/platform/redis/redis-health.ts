import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { RedisConnections } from './redis-connections.js';

/** Milliseconds between two questions to a Redis that is silent. */
const INTERVAL = 200;

/** Whether Redis answers, and whether it keeps what it is given. */
@Injectable()
export class RedisHealth implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private silent = false;
  private stopping = false;

  constructor(private readonly connections: RedisConnections) {}

  /** False while the connection is down, and while a Redis that is connected does not answer. */
  get available(): boolean {
    return !this.silent && this.connections.client.status === 'ready';
  }

  /** Resolves once Redis is there for the first time. */
  async ready(): Promise<void> {
    const { client } = this.connections;
    // Not with `once` of node:events, which rejects at the first connection that is refused.
    if (client.status !== 'ready') await new Promise<void>((resolve) => client.once('ready', resolve));
  }

  onModuleInit(): void {
    const { client } = this.connections;
    let away = false;
    client.on('ready', () => {
      if (away) this.logger.log('Redis is back.');
      away = false;
      void this.checkDurability();
    });
    client.on('close', () => {
      if (!away && !this.stopping)
        this.logger.warn('Redis is away; events are answered 503 until it is back.');
      away = true;
    });
  }

  /** This module is global and imported first, so Nest shuts it down after everything that uses Redis. */
  onApplicationShutdown(): void {
    this.stopping = true;
    this.connections.close();
  }

  /** Redis was late. Until it answers again, nobody else has to wait to learn that. */
  trip(): void {
    if (this.silent) return;
    this.silent = true;
    this.logger.warn('Redis does not answer; events are answered 503 until it does.');
    void this.probe();
  }

  private async probe(): Promise<void> {
    while (this.silent) {
      try {
        await this.connections.client.ping();
        this.silent = false;
      } catch {
        const { client } = this.connections;
        if (client.status === 'end') return;
        // Perhaps only this connection is dead, which no one would tell; a new one hangs on nothing.
        if (client.status === 'ready') client.disconnect(true);
        await new Promise((resolve) => setTimeout(resolve, INTERVAL));
      }
    }
  }

  /** A 202 is a promise that holds only as far as Redis keeps what it has confirmed. */
  private async checkDurability(): Promise<void> {
    try {
      const [append, fsync, eviction] = await Promise.all(
        ['appendonly', 'appendfsync', 'maxmemory-policy'].map((name) => this.setting(name)),
      );
      if (append !== 'yes')
        this.warnNotDurable(
          `appendonly is "${append}": accepted events are LOST when Redis stops. Set appendonly yes.`,
        );
      else if (fsync !== 'always') {
        this.warnNotDurable(
          `appendfsync is "${fsync}": events accepted in the last second are LOST in a crash. Set appendfsync always.`,
        );
      }
      if (eviction !== 'noeviction') {
        this.warnNotDurable(
          `maxmemory-policy is "${eviction}": a full Redis THROWS AWAY accepted events. Set maxmemory-policy noeviction.`,
        );
      }
    } catch (error) {
      this.logger.warn(
        `The settings of Redis cannot be read (${(error as Error).message}); make sure that it is durable.`,
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
