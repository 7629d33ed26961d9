import { type AbstractConnector, Redis, type RedisOptions } from 'ioredis';
import { environment } from '../config/environment.js';
import { isCommandTimeout } from './redis-errors.js';
import { refusalOf, refusesConnection } from './redis-refusal.js';
import { parseRedisUrl } from '../config/redis-url.js';

/** After a connection that lasted this long, the next attempt follows at once. */
const GOOD_CONNECTION_MS = 2000;

const MAX_RECONNECT_DELAY_MS = 500;

/** Whether the connection cannot be used, although it stands. */
const isRefused = (error: Error): boolean => {
  const refusal = refusalOf(error);
  return refusal !== undefined && refusesConnection(refusal);
};

/**
 * For commands. By default Bull and ioredis wait for an unavailable Redis; these options make a command fail instead. No
 * command is queued while the connection is down, none is sent again without the caller, and none takes longer than
 * REDIS_TIMEOUT.
 */
const COMMAND_OPTIONS: RedisOptions = {
  commandTimeout: environment.REDIS_TIMEOUT,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  reconnectOnError: isRefused,
};

/**
 * For connections that wait for jobs or messages. They reconnect however long Redis was unavailable. A command that the
 * connection may not send is sent again on the next one, because Bull would not try again to subscribe.
 */
const BLOCKING_OPTIONS: RedisOptions = {
  maxRetriesPerRequest: null,
  reconnectOnError: (error) => (isRefused(error) ? 2 : false),
};

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
  private sharedBulk: Redis | undefined;

  /** @throws RedisUrlError */
  constructor(url: string) {
    this.address = parseRedisUrl(url);
  }

  /** The connection for commands, which the whole process shares, and whose health RedisHealth watches. */
  get client(): Redis {
    return (this.shared ??= this.open(COMMAND_OPTIONS));
  }

  /** The connection for commands and replies of megabytes: on the other one, small ones would wait behind them. */
  get bulk(): Redis {
    if (this.sharedBulk) return this.sharedBulk;
    const bulk = (this.sharedBulk = this.create('client'));
    // After a failover, both must lead to the same server.
    this.client.on('close', () => bulk.disconnect(true));
    return bulk;
  }

  /**
   * Opens another connection.
   * @param type `client` for commands, `bclient` for blocking commands, `subscriber` for messages
   */
  create(type: 'client' | 'subscriber' | 'bclient', overrides: RedisOptions = {}): Redis {
    if (type !== 'client')
      return this.open({ ...BLOCKING_OPTIONS, ...DEAD_CONNECTION_OPTIONS[type], ...overrides });
    const connection = this.open({ ...COMMAND_OPTIONS, ...overrides });
    connection.reconnectsOnTimeout = true;
    return connection;
  }

  private open(options: RedisOptions): Connection {
    const connection = new Connection({ ...this.address, enableReadyCheck: false, ...options });
    // RedisHealth logs outages. Without a listener, ioredis prints each failed attempt to standard error.
    connection.on('error', () => undefined);
    this.connections.push(connection);
    return connection;
  }

  close(): void {
    for (const connection of this.connections) connection.disconnect();
  }
}

/**
 * An ioredis connection that is ready only once it leads to a primary which accepts the password. A refused command, also
 * one that ioredis sends by itself, neither ends the process nor leaks its arguments.
 */
class Connection extends Redis {
  /** Whether a command without a reply in time means that the connection is dead, although nothing has reported it. */
  reconnectsOnTimeout = false;
  private readyAt: number | undefined;
  private attempts = 0;

  constructor(options: RedisOptions) {
    // Connects at the end of this constructor, so that the first socket is covered, too.
    super({ ...options, lazyConnect: true });
    this.options.retryStrategy = () => this.reconnectDelay();
    this.on('ready', () => (this.readyAt = performance.now()));
    // The ready check of ioredis uses INFO, which a user may not be allowed to use, and knows no roles. Without any check,
    // ioredis never connects again after AUTH has failed (5.11.1).
    Object.assign(this, {
      _readyCheck: (done: (error?: unknown, info?: object) => void) => this.checkRole(done),
    });
    this.ignoreLateErrors();
    // Bull refuses connections with a ready check, because those that block may not use INFO. It looks at once.
    process.nextTick(() => (this.options.enableReadyCheck = true));
    this.connect().catch(() => undefined);
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    // ioredis does not catch the errors of AUTH, SELECT and SUBSCRIBE, which would end the process. The member `command` of
    // an error holds the arguments: passwords and events.
    command.promise.catch((error: { command?: unknown }) => {
      delete error.command;
      if (this.reconnectsOnTimeout && this.status === 'ready' && isCommandTimeout(error))
        this.disconnect(true);
    });
    return super.sendCommand(command, stream);
  }

  /**
   * ioredis (5.11.1) listens for the first error of a socket only. A TLS socket may emit another one, for example OpenSSL's
   * after that of the certificate, which would end the process.
   */
  private ignoreLateErrors(): void {
    const { connector } = this as unknown as { connector: Pick<AbstractConnector, 'connect'> };
    const connect = connector.connect.bind(connector);
    connector.connect = async (onError) => (await connect(onError)).on('error', () => undefined);
  }

  private checkRole(done: (error?: unknown, info?: object) => void): void {
    this.role().then(
      ([role]) => {
        if (role === 'master') done(undefined, {});
        else done(new Error(role === 'sentinel' ? 'SENTINEL' : 'READONLY'));
      },
      // A user without the right to use ROLE learns only from its first write whether this is a primary.
      (error: unknown) => (isRoleForbidden(error) ? done(undefined, {}) : done(error)),
    );
  }

  /** @returns milliseconds before the next attempt to connect: at once at first, later twice a second */
  private reconnectDelay(): number {
    // ioredis counts from 1 again after each connection, also after one on which a command was refused.
    if (this.readyAt !== undefined && performance.now() - this.readyAt > GOOD_CONNECTION_MS)
      this.attempts = 0;
    this.readyAt = undefined;
    return Math.min(++this.attempts * 50, MAX_RECONNECT_DELAY_MS);
  }
}

/** True if the ACL forbids ROLE, or the command was renamed. */
const isRoleForbidden = (error: unknown): boolean =>
  refusalOf(error)?.code === 'NOPERM' || /unknown command/i.test((error as Error).message);
