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
 * A server of a test's own: the one that The Eye brings, in a folder of its own, but with no supervisor that
 * restarts it at once. So an outage lasts for as long as the test wants.
 */
abstract class OwnServer {
  private child: ChildProcess | undefined;

  protected constructor(
    protected readonly folders: Folders,
    private readonly server: ServerDefinition,
  ) {}

  /** @param parent where its folder is made, e.g. a disk of its own */
  protected static async folders(parent = tmpdir()): Promise<Folders> {
    return OwnServer.foldersAt(await mkdtemp(join(parent, 'eye-server-')));
  }

  protected static async foldersAt(folder: string): Promise<Folders> {
    const folders = await prepareFolders(folder);
    // Another process of this run may have created it.
    if (!existsSync(folders.run)) await createRunFolder(folders);
    return folders;
  }

  /** Starts it, on the same data after it was stopped or has died, and waits until it serves. */
  async start(): Promise<void> {
    await this.server.prepare();
    // What a killed PostgreSQL leaves behind needs a moment to go.
    await eventually(async () => {
      if (!this.child || !isRunning(this.child)) this.child = await this.launch();
      await this.server.probe();
    }, 60_000);
  }

  /** Stops it the clean way. */
  async stop(): Promise<void> {
    await this.end(this.server.stopSignals[0]);
  }

  /** Kills all its processes outright. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** It keeps its connections, takes new ones, and answers nothing. */
  async freeze(): Promise<void> {
    await this.signal('SIGSTOP');
  }

  async thaw(): Promise<void> {
    await this.signal('SIGCONT');
  }

  /** Ends it for good and removes its folders. */
  async close(): Promise<void> {
    await this.thaw();
    await this.stop();
    for (const folder of [this.folders.data, this.folders.run]) {
      await remove(folder);
    }
  }

  /** Stops it the clean way where another process has started it, and removes its folder of sockets. */
  async stopLeftover(): Promise<void> {
    await stopLeftover(this.server);
    await remove(this.folders.run);
  }

  /** Whether it accepts commands, whoever has started it. */
  accepts(): Promise<boolean> {
    return this.server.probe().then(
      () => true,
      () => false,
    );
  }

  /** Lets this process end while the server runs. */
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

  /** To every process of it: PostgreSQL has one for each connection. */
  private async signal(signal: NodeJS.Signals): Promise<void> {
    const pid = this.child?.pid;
    if (!this.child || pid === undefined || !isRunning(this.child)) return;
    signalAll(await familyOf(pid), signal);
  }
}

export class OwnPostgres extends OwnServer {
  readonly url = `postgresql://the_eye@localhost:5432/the_eye?host=${encodeURIComponent(this.folders.postgresSockets)}`;
  readonly socket = join(this.folders.postgresSockets, '.s.PGSQL.5432');

  /** Starts it with the database of The Eye, which is migrated already where Jest runs. */
  static async start(parent?: string): Promise<OwnPostgres> {
    const postgres = OwnPostgres.in(await OwnServer.folders(parent));
    await copyTemplate(postgres.folders.data);
    await postgres.start();
    return postgres;
  }

  /** The one of a data folder, whether it runs or not. */
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
   * @param template the database to copy, to which nobody may be connected
   * @returns the address of the new one
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

  /** @param settings names and values of redis.conf, until it is stopped */
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
    return this.ask(async (client) => {
      for (const [name, value] of Object.entries(settings)) await client.config('SET', name, value);
    });
  }

  /** Bytes that its data take. */
  usedMemory(): Promise<number> {
    return this.ask(async (client) => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]));
  }

  private async ask<Result>(question: (client: Redis) => Promise<Result>): Promise<Result> {
    const client = new Redis(this.socket);
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
