import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { errorCode, errorMessage } from './errors.js';
import { claimRunFolder, type Folders, prepareFolders } from './folders.js';
import { type Answer, receive, send, type ServerName } from './messages.js';

export interface EmbeddedServers {
  /** E.g. `postgresql://the_eye@localhost:5432/the_eye?host=%2Ftmp%2Fthe-eye-1a2b3c%2Fpostgres`. */
  readonly databaseUrl?: string;
  /** E.g. `unix:///tmp/the-eye-1a2b3c/redis.sock`. */
  readonly redisUrl?: string;
  /** Leaves. Resolves when the keeper has let go of us; if we were the last, both servers are down by then. */
  close(): Promise<void>;
}

export interface EmbeddedOptions {
  /** Holds the data; processes with the same folder share the same servers. Relative to the working directory. */
  readonly dataDir: string;
  readonly postgres: boolean;
  readonly redis: boolean;
  /** Takes what the user should know: a first start, an installation, a crash and its end. */
  readonly log: (line: string) => void;
}

/** Milliseconds. While it works for us, the keeper says something every five seconds. */
const SILENCE_LIMIT = 30_000;
const JOIN_LIMIT = 120_000;
const LEAVE_LIMIT = 150_000;
const RETRY_PAUSE = 50;
const REJOIN_PAUSE = 1000;

/** No keeper, or one that has just ended. */
const NOBODY_THERE = new Set<string | undefined>(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/**
 * Starts PostgreSQL and Redis beside the application, or joins those that another process with the same data folder
 * has started. They run until the last process has left or died. The addresses stay good for as long as we are
 * joined: a server that crashes is restarted, and so is the keeper that holds them.
 * @throws Error that says what is wrong and how to cure it
 */
export async function joinEmbeddedServers(options: EmbeddedOptions): Promise<EmbeddedServers> {
  const { dataDir, postgres, redis, log } = options;
  if (!postgres && !redis) return { close: () => Promise.resolve() };
  const folders = await prepareFolders(dataDir);
  await claimRunFolder(folders);
  const names: ServerName[] = [
    ...(postgres ? (['postgres'] as const) : []),
    ...(redis ? (['redis'] as const) : []),
  ];
  const membership = new Membership(folders, names, log);
  await membership.join();
  return {
    databaseUrl: postgres ? postgresUrl(folders) : undefined,
    redisUrl: redis ? `unix://${folders.redisSocket}` : undefined,
    close: () => membership.leave(),
  };
}

/** Read alike by libpq and node-postgres. The port stands there because PGPORT would change its default. */
const postgresUrl = ({ postgresSockets }: Folders): string =>
  `postgresql://the_eye@localhost:5432/the_eye?host=${encodeURIComponent(postgresSockets)}`;

/** The connection to the keeper: as long as it is open, the keeper holds the servers for us. */
class Membership {
  private lifeline?: Socket;
  private leaving = false;
  private rejoining?: Promise<void>;

  constructor(
    private readonly folders: Folders,
    private readonly names: readonly ServerName[],
    private readonly log: (line: string) => void,
  ) {}

  /** Resolves when the servers are ready. Starts a keeper where none answers. */
  async join(): Promise<void> {
    const deadline = Date.now() + JOIN_LIMIT;
    let keeper: ChildProcess | undefined;
    while (!(await this.knock())) {
      if (keeper?.exitCode) throw new Error(await this.lastWords());
      if (Date.now() > deadline) throw new Error(`No keeper answers; see ${this.folders.keeperLog}`);
      // One that ended well has found another keeper, which may be just leaving.
      if (!keeper || !isRunning(keeper)) keeper = await this.startKeeper();
      await sleep(RETRY_PAUSE);
    }
  }

  async leave(): Promise<void> {
    this.leaving = true;
    // Only another keeper can stop the servers that a killed one left.
    await this.rejoining;
    const socket = this.lifeline;
    if (!socket || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.ref().setTimeout(LEAVE_LIMIT, () => socket.destroy());
      socket.once('close', () => resolve()).end();
    });
  }

  /** Asks the keeper. False when there is none, or when it closes the connection before the servers are ready. */
  private knock(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let ready = false;
      const socket = connect(this.folders.keeperSocket, () => send(socket, { join: this.names }));
      this.lifeline = socket;
      socket.setTimeout(SILENCE_LIMIT, () =>
        socket.destroy(new Error(`The keeper of the servers is silent; see ${this.folders.keeperLog}`)),
      );
      socket.on('error', (error) => {
        if (!NOBODY_THERE.has(errorCode(error))) reject(error);
      });
      socket.once('close', () => {
        if (ready && !this.leaving) this.rejoining = this.rejoin();
        else resolve(false);
      });
      receive<Answer>(socket, (answer) => {
        switch (answer.type) {
          case 'working':
            return;
          case 'log':
            return this.log(answer.line);
          case 'failed':
            return socket.destroy(new Error(answer.message));
          case 'ready':
            ready = true;
            // A script that forgets to leave can still end; the keeper notices.
            socket.setTimeout(0).unref();
            return resolve(true);
        }
      });
    });
  }

  private async rejoin(): Promise<void> {
    this.log('the keeper of PostgreSQL and Redis is gone; starting another');
    do {
      try {
        await this.join();
        return this.log('PostgreSQL and Redis are back');
      } catch (error) {
        this.log(errorMessage(error));
        await sleep(REJOIN_PAUSE);
      }
    } while (!this.leaving);
  }

  private async startKeeper(): Promise<ChildProcess> {
    const { data, keeperLog } = this.folders;
    const log = await open(keeperLog, 'a', 0o600);
    // PG* variables would change what PostgreSQL does, NODE_* attach a debugger or test hooks to the keeper.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|NODE_)/.test(name)));
    const keeper = spawn(
      process.execPath,
      [fileURLToPath(new URL('./supervisor.js', import.meta.url)), data],
      {
        cwd: data,
        detached: true,
        env,
        stdio: ['ignore', log.fd, log.fd],
      },
    );
    keeper.unref();
    await once(keeper, 'spawn').finally(() => log.close());
    return keeper;
  }

  private async lastWords(): Promise<string> {
    const lines = (await readFile(this.folders.keeperLog, 'utf8')).trimEnd().split('\n');
    // Lines of the log begin with the time, what the keeper prints when it fails does not.
    const reason = lines.findLast((line) => !/^\d{4}-/.test(line)) ?? 'unknown reason';
    return `The keeper of PostgreSQL and Redis failed: ${reason} (${this.folders.keeperLog})`;
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
