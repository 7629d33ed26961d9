import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { createRunFolder, type Folders, prepareFolders } from '../../src/platform/embedded/folders.js';
import { postgresServer } from '../../src/platform/embedded/postgres-server.js';
import { redisServer } from '../../src/platform/embedded/redis-server.js';
import { stopLeftover } from '../../src/platform/embedded/processes.js';
import type { ServerDefinition } from '../../src/platform/embedded/server-definition.js';
import { familyOf, signalAll } from '../../testing/processes.js';
import { eventually, remove } from '../../testing/the-eye.js';
import { copyTemplate } from './run-folder.js';

/**
 * A private server of one test: the embedded server of The Eye in a separate folder, without a supervisor that would
 * restart it. The test decides how long an outage lasts.
 */
abstract class OwnServer {
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
  readonly url = `postgresql://the_eye@localhost:5432/the_eye?host=${encodeURIComponent(this.folders.postgresSockets)}`;
  readonly socket = join(this.folders.postgresSockets, '.s.PGSQL.5432');

  /** Starts a server with the database of The Eye, already migrated within Jest. */
  static async start(parent?: string): Promise<OwnPostgres> {
    const postgres = OwnPostgres.in(await OwnServer.folders(parent));
    await copyTemplate(postgres.folders.data);
    await postgres.start();
    return postgres;
  }

  /** The server of a data folder, running or not. */
  static async at(folder: string): Promise<OwnPostgres> {
    return OwnPostgres.in(await OwnServer.foldersAt(folder));
  }

  private static in(folders: Folders): OwnPostgres {
    return new OwnPostgres(
      folders,
      postgresServer(folders, () => undefined),
    );
  }

  /**
   * @param template the database to copy; it must have no connections
   * @returns the URL of the new database
   */
  async createDatabase(name: string, template: string): Promise<string> {
    const address = (database: string): string => {
      const url = new URL(this.url);
      url.pathname = `/${database}`;
      return url.href;
    };
    const client = new pg.Client({ connectionString: address('postgres') });
    await client.connect();
    try {
      await client.query(`CREATE DATABASE ${name} TEMPLATE ${template}`);
    } finally {
      await client.end();
    }
    return address(name);
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

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
