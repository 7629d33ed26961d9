import { Redis, type RedisOptions } from 'ioredis';
import { environment } from '../config/environment.js';

/** @returns milliseconds before the next attempt to connect: at once at first, later twice a second */
const retryStrategy = (times: number): number => Math.min(times * 50, 500);

/**
 * For commands. By default Bull and ioredis wait for an unavailable Redis; these options make a command fail instead. No
 * command is queued while the connection is down, none is sent again without the caller, and none takes longer than
 * REDIS_TIMEOUT.
 */
const COMMAND_OPTIONS: RedisOptions = {
  commandTimeout: environment.REDIS_TIMEOUT,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableReadyCheck: true,
  maxRetriesPerRequest: 0,
  retryStrategy,
};

/** For connections that wait for jobs or messages. They reconnect however long Redis was unavailable. */
const BLOCKING_OPTIONS: RedisOptions = { enableReadyCheck: false, maxRetriesPerRequest: null, retryStrategy };

/**
 * How a connection that died silently is detected, for example after a power failure of the other host. A connection that
 * waits for jobs receives a reply every five seconds (Bull's `drainDelay`), so ten seconds of silence mean that it is dead.
 * A subscriber sends nothing, so the kernel probes it.
 */
const DEAD_CONNECTION_OPTIONS = { bclient: { socketTimeout: 10_000 }, subscriber: { keepAlive: 10_000 } };

/** The connections of this process to one Redis. Bull closes only connections that it created, so `close` closes these. */
export class RedisConnections {
  private readonly connections: Redis[] = [];
  private readonly address: RedisOptions;
  private shared: Redis | undefined;

  /** @param url `redis://[user:password@]host[:port][/db]`, `rediss://…` or `unix:///path` */
  constructor(url: string) {
    this.address = addressOf(url);
  }

  /** The connection for commands, which the whole process shares. */
  get client(): Redis {
    return (this.shared ??= this.create('client'));
  }

  /**
   * Opens another connection.
   * @param type `client` for commands, `bclient` for blocking commands, `subscriber` for messages
   */
  create(type: 'client' | 'subscriber' | 'bclient', overrides: RedisOptions = {}): Redis {
    const options =
      type === 'client' ? COMMAND_OPTIONS : { ...BLOCKING_OPTIONS, ...DEAD_CONNECTION_OPTIONS[type] };
    const connection = new Redis({ ...this.address, ...options, ...overrides });
    // RedisHealth logs outages. Without a listener, ioredis prints each failed attempt to standard error.
    connection.on('error', () => undefined);
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
