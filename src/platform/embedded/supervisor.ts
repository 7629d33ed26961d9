import { rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';
import { errorCode, errorMessage } from './errors.js';
import { claimRunFolder, type Folders, prepareFolders } from './folders.js';
import { openSupervisorLog } from './supervisor-log.js';
import { type Answer, type Join, receive, send, type ServerName } from './messages.js';
import { postgresServer } from './postgres-server.js';
import { redisServer } from './redis-server.js';
import { ManagedServer } from './managed-server.js';

/*
 * The process that holds the servers of one data folder (its argument), in a session of its own, so that Ctrl-C
 * reaches the application and not its servers. It starts what applications ask for, restarts what crashes, and ends
 * with its servers when the last application has closed its connection or died.
 */

/** Milliseconds. */
const FIRST_JOIN_LIMIT = 10_000;
const START_LIMIT = 330_000;
const HEARTBEAT = 5000;
const LOCK_LIMIT = 10_000;
/** How long a killed keeper's lock counts. It is refreshed every second. */
const LOCK_STALE = 4000;

class SupervisorProcess {
  private readonly members = new Set<Socket>();
  private readonly supervisors: Record<ServerName, ManagedServer>;
  private readonly listener = createServer({ allowHalfOpen: true }, (socket) => this.welcome(socket));
  private stopping = false;

  constructor(
    private readonly folders: Folders,
    private readonly write: (source: string, line: string) => void,
  ) {
    const log = (line: string): void => this.log(line);
    const supervise = (server: ReturnType<typeof redisServer>): ManagedServer =>
      new ManagedServer(server, log, (line) => write(server.name, line));
    this.supervisors = {
      postgres: supervise(postgresServer(folders, log)),
      redis: supervise(redisServer(folders, log)),
    };
  }

  async listen(): Promise<void> {
    // We hold the lock, so whoever left this folder and this socket is gone.
    await claimRunFolder(this.folders);
    await rm(this.folders.keeperSocket, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.listener.once('error', reject).listen(this.folders.keeperSocket, resolve);
    });
    setTimeout(() => this.leaveIfAlone(), FIRST_JOIN_LIMIT).unref();
  }

  /** Stops the servers and ends this process. Only then do those who leave or knock see their connections closed. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    const stopped = await Promise.allSettled(Object.values(this.supervisors).map((each) => each.stop()));
    for (const each of stopped) if (each.status === 'rejected') this.log(errorMessage(each.reason));
    await rm(this.folders.run, { recursive: true, force: true });
    this.write('keeper', 'stopped');
    process.exit();
  }

  log(line: string): void {
    this.write('keeper', line);
    for (const member of this.members) send(member, { type: 'log', line });
  }

  private welcome(socket: Socket): void {
    const heartbeat = setInterval(() => send(socket, { type: 'working' }), HEARTBEAT);
    const leave = (): void => {
      clearInterval(heartbeat);
      if (!this.members.delete(socket)) return;
      if (this.members.size > 0) socket.end();
      else this.leaveIfAlone();
    };
    this.members.add(socket);
    socket.on('end', leave).on('error', leave).on('close', leave);
    receive<Join>(socket, (message) => {
      void this.answer(message).then((answer) => {
        // No answer while stopping: the connection will close, and the application asks the next keeper.
        if (this.stopping) return;
        clearInterval(heartbeat);
        send(socket, answer);
      });
    });
  }

  private async answer({ join: names }: Join): Promise<Answer> {
    try {
      const started = Promise.all(names.map((name) => this.supervisors[name].start()));
      const tooLong = sleep(START_LIMIT, undefined, { ref: false }).then(() => {
        throw new Error(`The servers do not come up; see ${this.folders.keeperLog}`);
      });
      await Promise.race([started, tooLong]);
      return { type: 'ready' };
    } catch (error) {
      return { type: 'failed', message: errorMessage(error) };
    }
  }

  private leaveIfAlone(): void {
    if (this.members.size === 0) void this.stop();
  }
}

/**
 * Takes the lock that makes us the one keeper of this folder. It holds across containers and whatever TMPDIR is, where
 * sockets are not shared and a second server would destroy the data. Ends this process when another keeper answers.
 */
async function lockOut(folders: Folders, lost: () => void): Promise<void> {
  const deadline = Date.now() + LOCK_LIMIT;
  while (!(await answers(folders.keeperSocket))) {
    try {
      const lockfilePath = join(folders.data, 'keeper.lock');
      await lock(folders.data, { lockfilePath, stale: LOCK_STALE, update: 1000, onCompromised: lost });
      return;
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED') throw error;
    }
    if (Date.now() > deadline) {
      throw new Error(
        `The data folder ${folders.data} is in use by a process that cannot be reached from here: ` +
          'another container, or one started with another TMPDIR. Give each its own DATA_DIR.',
      );
    }
    await sleep(100);
  }
  process.exit();
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => resolve(true));
    socket.on('error', () => resolve(false)).on('connect', () => socket.destroy());
  });
}

async function main(dataDir: string): Promise<void> {
  process.umask(0o077);
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const folders = await prepareFolders(dataDir);
  const write = openSupervisorLog(folders.keeperLog);
  const keeper = new SupervisorProcess(folders, write);
  process.on('SIGTERM', () => void keeper.stop());
  await lockOut(folders, () => {
    keeper.log('another process took over the data folder; stopping');
    void keeper.stop();
  });
  await keeper.listen();
  write('keeper', `started (pid ${process.pid})`);
}

await main(process.argv[2] ?? process.cwd()).catch((error: unknown) => {
  console.error(errorMessage(error));
  process.exit(1);
});
