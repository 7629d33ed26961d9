import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdtemp, stat, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createRunFolder, type Folders, prepareFolders } from '../../src/platform/embedded/folders.js';
import { postgresServer } from '../../src/platform/embedded/postgres-server.js';
import { clickhouseServer } from '../../src/platform/embedded/clickhouse-server.js';
import { redisServer } from '../../src/platform/embedded/redis-server.js';
import { isRunning, stopLeftover } from '../../src/platform/embedded/processes.js';
import type { ServerDefinition } from '../../src/platform/embedded/server-definition.js';
import { familyOf, signalAll } from '../../testing/processes.js';
import { eventually, remove, superuserUrl } from '../../testing/the-eye.js';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { Agent } from 'node:http';
import { copyTemplate } from './run-folder.js';

/**
 * A private server of one test: the embedded server of The Eye in a separate folder, without a supervisor that would
 * restart it. The test decides how long an outage lasts.
 */
export abstract class OwnServer {
  private child: ChildProcess | undefined;

  protected constructor(
    protected readonly folders: Folders,
    private readonly server: ServerDefinition,
  ) {}

  /** @param parent the parent of the new folder, e.g. a separate disk */
  protected static async folders(parent = tmpdir()): Promise<Folders> {
    return OwnServer.foldersAt(await mkdtemp(join(parent, 'eye-server-')));
  }

  protected static async foldersAt(folder: string): Promise<Folders> {
    const folders = await prepareFolders(folder);
    // Another process of this run may have created it.
    if (!existsSync(folders.run)) await createRunFolder(folders);
    return folders;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts the server and waits until it is ready. After a stop or a crash, it starts on the same data. */
  async start(): Promise<void> {
    await this.server.prepare();
    // The remaining processes of a killed PostgreSQL need a moment to exit.
    await eventually(async () => {
      if (!this.child || !isRunning(this.child)) this.child = await this.launch();
      await this.server.probe();
    }, 60_000);
  }

  /** Shuts the server down cleanly. */
  async stop(): Promise<void> {
    await this.end(this.server.stopSignals[0]);
  }

  /** Kills all its processes with SIGKILL. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Suspends the server: connections stay open and new ones are accepted, but it does not reply. */
  async freeze(): Promise<void> {
    await this.signal('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.signal('SIGCONT');
  }

  /** Stops the server and removes its folders. */
  async close(): Promise<void> {
    await this.thaw();
    await this.stop();
    for (const folder of [this.folders.data, this.folders.run]) {
      await remove(folder);
    }
  }

  /** Cleanly stops a server that another process has started, and removes its socket folder. */
  async stopLeftover(): Promise<void> {
    await stopLeftover(this.server);
    await remove(this.folders.run);
  }

  /** Whether the server accepts commands, regardless of which process started it. */
  accepts(): Promise<boolean> {
    return this.server.probe().then(
      () => true,
      () => false,
    );
  }

  /** Allows this process to exit while the server runs. */
  unref(): void {
    this.child?.unref();
    for (const stream of [this.child?.stdout, this.child?.stderr]) (stream as Socket | undefined)?.unref();
  }

  private async launch(): Promise<ChildProcess> {
    const child = await this.server.spawn();
    child.stdout?.resume();
    child.stderr?.resume();
    return child;
  }

  private async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const { child } = this;
    if (!child || !isRunning(child)) return;
    const exit = once(child, 'exit');
    if (signal === 'SIGKILL') await this.signal(signal);
    else child.kill(signal);
    await exit;
  }

  /** Signals every process of the server: PostgreSQL has one per connection. */
  private async signal(signal: NodeJS.Signals): Promise<void> {
    const pid = this.child?.pid;
    if (!this.child || pid === undefined || !isRunning(this.child)) return;
    signalAll(await familyOf(pid), signal);
  }
}

export class OwnPostgres extends OwnServer {
  readonly url: string;
  readonly socket: string;

  private constructor(folders: Folders, settings: Record<string, string>) {
    super(
      folders,
      postgresServer(folders, () => undefined, settings),
    );
    const port = settings['port'] ?? '5432';
    const { postgresSockets } = folders;
    this.url = `postgresql://the_eye@localhost:${port}/the_eye?host=${encodeURIComponent(postgresSockets)}`;
    this.socket = join(postgresSockets, `.s.PGSQL.${port}`);
  }

  /**
   * Starts a server with the database of The Eye, already migrated within Jest.
   * @param settings of postgresql.conf
   */
  static async start(parent?: string, settings: Record<string, string> = {}): Promise<OwnPostgres> {
    const postgres = new OwnPostgres(await OwnServer.folders(parent), settings);
    await copyTemplate(postgres.folders.data);
    await postgres.start();
    return postgres;
  }

  /** The server of a data folder, running or not. */
  static async at(folder: string): Promise<OwnPostgres> {
    return new OwnPostgres(await OwnServer.foldersAt(folder), {});
  }

  /**
   * @param template the database to copy; it must have no connections
   * @param options further options of CREATE DATABASE
   * @returns the URL of the new database
   */
  async createDatabase(name: string, template: string, options = ''): Promise<string> {
    await this.asSuperuser(`CREATE DATABASE ${name} TEMPLATE ${template} OWNER the_eye ${options}`);
    const url = new URL(this.url);
    url.pathname = `/${name}`;
    return url.href;
  }

  /** Starts a standby that streams from this server. */
  async startStandby(): Promise<OwnPostgres> {
    const folders = await OwnServer.folders();
    const [from, to] = [this.folders, folders].map(({ data }) => join(data, 'postgres')) as [string, string];
    await this.withSuperuser(async (client) => {
      await client.query(`SELECT pg_backup_start('standby', true)`);
      // PostgreSQL goes on, and removes files while they are copied.
      await eventually(() =>
        cp(from, to, { recursive: true, filter: (path) => basename(path) !== 'postmaster.pid' }),
      );
      const { rows } = await client.query<{ labelfile: string }>(
        'SELECT labelfile FROM pg_backup_stop(false)',
      );
      await writeFile(join(to, 'backup_label'), rows[0]?.labelfile ?? '');
    });
    await writeFile(join(to, 'standby.signal'), '');
    const primary = `host=${this.folders.postgresSockets} port=5432 user=postgres`;
    await appendFile(join(to, 'postgresql.auto.conf'), `\nprimary_conninfo = '${primary}'\n`);
    const { uid, gid } = await stat(from);
    await promisify(execFile)('chown', ['-R', `${uid}:${gid}`, to]);
    const standby = new OwnPostgres(folders, {});
    await standby.start();
    return standby;
  }

  /**
   * Makes a standby of this server the primary. This server becomes read-only and keeps its sessions, as after a failover
   * that it has not noticed.
   */
  async failOverTo(standby: OwnPostgres): Promise<void> {
    await this.asSuperuser('ALTER SYSTEM SET default_transaction_read_only = on');
    await this.asSuperuser('SELECT pg_reload_conf()');
    await eventually(async () => {
      const [written, replayed] = await Promise.all([
        this.asSuperuser('SELECT pg_current_wal_insert_lsn() AS position'),
        standby.asSuperuser('SELECT pg_last_wal_replay_lsn() AS position'),
      ]);
      const [busy] = await this.asSuperuser(
        `SELECT count(*)::int AS count FROM pg_stat_activity WHERE backend_xid IS NOT NULL`,
      );
      if (busy?.['count'] !== 0 || written[0]?.['position'] !== replayed[0]?.['position'])
        throw new Error('The standby is behind.');
    });
    await standby.asSuperuser('SELECT pg_promote()');
  }

  /** Makes the role of The Eye the first superuser, as it was in older versions. */
  async makeRoleSuperuser(): Promise<void> {
    await this.asSuperuser('CREATE ROLE renamer SUPERUSER LOGIN');
    const as = async (user: string, database: string, ...statements: string[]): Promise<void> => {
      const url = new URL(this.url.replace('//the_eye@', `//${user}@`));
      url.pathname = `/${database}`;
      const client = new pg.Client({ connectionString: url.href });
      await client.connect();
      for (const statement of statements) await client.query(statement);
      await client.end();
    };
    await as('postgres', 'the_eye', 'REASSIGN OWNED BY the_eye TO postgres', 'DROP OWNED BY the_eye');
    await as('renamer', 'postgres', 'DROP ROLE the_eye', 'ALTER ROLE postgres RENAME TO the_eye');
    await as('the_eye', 'the_eye', 'DROP ROLE renamer');
  }

  /** Runs a statement as superuser, in the database `postgres`. */
  asSuperuser(text: string): Promise<Record<string, unknown>[]> {
    return this.withSuperuser(async (client) => (await client.query<Record<string, unknown>>(text)).rows);
  }

  private async withSuperuser<Result>(use: (client: pg.Client) => Promise<Result>): Promise<Result> {
    const url = new URL(superuserUrl(this.url));
    url.pathname = '/postgres';
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }
}

export class OwnRedis extends OwnServer {
  readonly url = `unix://${this.folders.redisSocket}`;
  readonly socket = this.folders.redisSocket;

  /** @param settings redis.conf settings, in effect until the server stops */
  static async start(settings: Record<string, string> = {}, parent?: string): Promise<OwnRedis> {
    const folders = await OwnServer.folders(parent);
    const redis = new OwnRedis(
      folders,
      redisServer(folders, () => undefined),
    );
    await redis.start();
    await redis.set(settings);
    return redis;
  }

  /** @param settings redis.conf settings that can only be made at the start */
  static async startWith(settings: Record<string, string>): Promise<OwnRedis> {
    const folders = await OwnServer.folders();
    const redis = new OwnRedis(
      folders,
      redisServer(folders, () => undefined, settings),
    );
    await redis.start();
    return redis;
  }

  /** Sends one command as the default user. */
  command(name: string, ...args: string[]): Promise<unknown> {
    return this.withClient((client) => client.call(name, ...args));
  }

  /**
   * Demands a password that The Eye does not have. Connections that exist stay open.
   * @returns a function that undoes it
   */
  async changePassword(): Promise<() => Promise<void>> {
    const client = new Redis(this.socket);
    await client.config('SET', 'requirepass', 'changed');
    return async () => {
      await client.config('SET', 'requirepass', '');
      client.disconnect();
    };
  }

  /** Makes it a replica of a primary that does not exist. Its connections stay open. */
  async demote(): Promise<void> {
    await this.command('REPLICAOF', '127.0.0.1', '1');
  }

  async promote(): Promise<void> {
    await this.command('REPLICAOF', 'NO', 'ONE');
  }

  set(settings: Record<string, string>): Promise<void> {
    return this.withClient(async (client) => {
      for (const [name, value] of Object.entries(settings)) await client.config('SET', name, value);
    });
  }

  /** Used memory in bytes. */
  usedMemory(): Promise<number> {
    return this.withClient(async (client) =>
      Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]),
    );
  }

  private async withClient<Result>(use: (client: Redis) => Promise<Result>): Promise<Result> {
    const client = new Redis(this.socket);
    try {
      return await use(client);
    } finally {
      client.disconnect();
    }
  }
}

const CLICKHOUSE_PROGRAM = join(import.meta.dirname, '../../dist/platform/embedded/clickhouse/main.js');

/** The embedded ClickHouse, whose program is the built one. */
export class OwnClickHouse extends OwnServer {
  readonly url = `unix://${this.folders.clickhouseSocket}`;
  readonly socket = this.folders.clickhouseSocket;

  /** @param settings of ClickHouse that differ from those of The Eye */
  static async start(settings: Record<string, number> = {}): Promise<OwnClickHouse> {
    const clickhouse = OwnClickHouse.of(await OwnServer.folders(), settings);
    await clickhouse.start();
    return clickhouse;
  }

  /** The server of a data folder, running or not. */
  static async at(folder: string): Promise<OwnClickHouse> {
    return OwnClickHouse.of(await OwnServer.foldersAt(folder));
  }

  private static of(folders: Folders, settings: Record<string, number> = {}): OwnClickHouse {
    const server = clickhouseServer(folders, () => undefined, CLICKHOUSE_PROGRAM, settings);
    return new OwnClickHouse(folders, server);
  }

  /** The official client, not that of The Eye. */
  client(database = 'default'): ClickHouseClient {
    return clickhouseClient(this.socket, database);
  }
}

/** The official client on the socket of an embedded ClickHouse. It waits for a slow machine: its default is 30 seconds. */
export function clickhouseClient(socketPath: string, database: string): ClickHouseClient {
  const http_agent = new Agent({ keepAlive: true, socketPath } as object);
  return createClient({
    url: 'http://localhost',
    database,
    http_agent,
    request_timeout: 180_000,
    log: { level: 127 },
  });
}
