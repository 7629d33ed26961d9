import { Logger } from '@nestjs/common';
import { RedisConnections } from './redis-connections.js';

/** Settings of Redis; undefined are those that its user may not read. */
interface Settings {
  readonly appendonly?: string;
  readonly appendfsync?: string;
  readonly 'maxmemory-policy'?: string;
}

/** Warns once about settings of Redis with which an event may be lost after its 202. */
export class RedisDurability {
  private readonly logger = new Logger('Redis');
  private readonly logged = new Set<string>();

  constructor(private readonly connections: RedisConnections) {}

  /** Never rejects. */
  async check(): Promise<void> {
    const settings = await this.read();
    if (!settings) return;
    const { appendonly, appendfsync, 'maxmemory-policy': eviction } = settings;
    if (appendonly !== undefined && appendonly !== 'yes') {
      this.warnNotDurable(
        `appendonly is "${appendonly}": accepted events are LOST when Redis stops. Set appendonly yes.`,
      );
    } else if (appendfsync !== undefined && appendfsync !== 'always') {
      this.warnNotDurable(
        `appendfsync is "${appendfsync}": events accepted in the last second are LOST in a crash. Set appendfsync always.`,
      );
    }
    if (eviction !== undefined && eviction !== 'noeviction') {
      this.warnNotDurable(
        `maxmemory-policy is "${eviction}": a full Redis DELETES accepted events. Set maxmemory-policy noeviction.`,
      );
    }
    const unknown = Object.entries({ appendonly, appendfsync, 'maxmemory-policy': eviction })
      .filter(([, value]) => value === undefined)
      .map(([name]) => name);
    if (unknown.length > 0) {
      this.warn(
        `The user of REDIS_URL may not read these settings of Redis: ${unknown.join(', ')}. ` +
          'Make sure that they are appendonly yes, appendfsync always and maxmemory-policy noeviction.',
      );
    }
  }

  /** @returns undefined if the connection was lost meanwhile */
  private async read(): Promise<Settings | undefined> {
    const { client } = this.connections;
    const settings = await this.readConfig();
    if (client.status !== 'ready') return undefined;
    if (Object.keys(settings).length > 0) return settings;
    // INFO is allowed more often than CONFIG, and says all but appendfsync.
    const info = await client.info().catch(() => '');
    if (client.status !== 'ready') return undefined;
    const field = (name: string): string | undefined => new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
    const aof = field('aof_enabled');
    return {
      ...(aof !== undefined && { appendonly: aof === '1' ? 'yes' : 'no' }),
      'maxmemory-policy': field('maxmemory_policy'),
    };
  }

  private async readConfig(): Promise<Settings> {
    const { client } = this.connections;
    const names = ['appendonly', 'appendfsync', 'maxmemory-policy'] as const;
    const pairs = await Promise.all(
      names.map((name) => client.config('GET', name).catch(() => []) as Promise<string[]>),
    );
    return Object.fromEntries(pairs.filter(({ length }) => length === 2)) as Settings;
  }

  private warnNotDurable(warning: string): void {
    this.warn(`!!! Redis is not durable: ${warning}`);
  }

  private warn(warning: string): void {
    if (!this.logged.has(warning)) this.logger.warn(warning);
    this.logged.add(warning);
  }
}
