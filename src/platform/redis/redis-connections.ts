import { Redis, type RedisOptions } from 'ioredis';
import { environment } from '../config/environment.js';

/** Milliseconds before the next try to connect: at once after a blip, twice a second while Redis is away. */
const retryStrategy = (times: number): number => Math.min(times * 50, 500);

/**
 * For Bull's commands. Bull's own way with a dead Redis is to wait, ours is to say so: nothing is queued up while the
 * connection is down, nothing is sent again behind the caller's back, and no command waits longer than REDIS_TIMEOUT.
 */
const PROMPT: RedisOptions = {
  commandTimeout: environment.REDIS_TIMEOUT,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableReadyCheck: true,
  maxRetriesPerRequest: 0,
  retryStrategy,
};

/** For the connections that wait for jobs and messages: they come back however long Redis was away. */
const PATIENT: RedisOptions = { enableReadyCheck: false, maxRetriesPerRequest: null, retryStrategy };

/**
 * A connection may die on its way and neither side be told (a firewall that forgot it, a host that lost its power). Who
 * waits for jobs hears from Redis at least every five seconds (Bull's `drainDelay`), so twice that is a dead connection;
 * who waits for messages sends nothing, so that the kernel's probes find out.
 */
const SILENCE = { bclient: { socketTimeout: 10_000 }, subscriber: { keepAlive: 10_000 } };

/** Bull's connections to one Redis. Bull closes only those that it made itself, so these close themselves. */
export class RedisConnections {
  private readonly connections: Redis[] = [];
  private readonly address: RedisOptions;
  private shared: Redis | undefined;

  /** @param url `redis://[user:password@]host[:port][/db]`, `rediss://…` or `unix:///path` */
  constructor(url: string) {
    this.address = addressOf(url);
  }

  /** The connection for commands that all of a process share. */
  get client(): Redis {
    return (this.shared ??= this.create('client'));
  }

  create(type: 'client' | 'subscriber' | 'bclient', more: RedisOptions = {}): Redis {
    const options = type === 'client' ? PROMPT : { ...PATIENT, ...SILENCE[type] };
    const connection = new Redis({ ...this.address, ...options, ...more });
    this.connections.push(connection);
    return connection;
  }

  close(): void {
    for (const connection of this.connections) connection.disconnect();
  }
}

function addressOf(url: string): RedisOptions {
  const { protocol, hostname, port, username, password, pathname } = new URL(url);
  if (protocol === 'unix:') return { path: decodeURIComponent(pathname) };
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port || 6379),
    username: username ? decodeURIComponent(username) : undefined,
    password: password ? decodeURIComponent(password) : undefined,
    db: Number(pathname.slice(1) || 0),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
