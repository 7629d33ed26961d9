import { rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { retryForever } from '../async/retry-forever.js';
import { errorMessage } from './errors.js';
import { createRunFolder, type Folders, prepareFolders } from './folders.js';
import { ManagedServer } from './managed-server.js';
import { receiveMessages, sendMessage, type ServersRequest, type SupervisorMessage } from './messages.js';
import { type ServerName, SERVERS } from './servers.js';
import { acquireLock } from './supervisor-lock.js';
import { openSupervisorLog, type WriteLog } from './supervisor-log.js';

/*
 * The program of the process that runs the servers of one data folder, which is its argument. It starts the servers that
 * clients request and restarts those that crash. When the last client has closed its connection or died, it stops the
 * servers and exits.
 */

const FIRST_CLIENT_TIMEOUT_MS = 10_000;

const MIN_BACKGROUND_BACKOFF_MS = 1000;
const MAX_BACKGROUND_BACKOFF_MS = 60_000;

class Supervisor {
  private readonly clients = new Set<Socket>();
  private readonly servers: Record<ServerName, ManagedServer>;
  private readonly listener = createServer({ allowHalfOpen: true }, (socket) =>
    this.onClientConnected(socket),
  );
  private stopping = false;
  private readonly stopped = new AbortController();
  private readonly inBackground = new Set<ServerName>();

  constructor(
    private readonly folders: Folders,
    private readonly write: WriteLog,
  ) {
    const managed = Object.entries(SERVERS).map(([name, create]) => {
      const server = create(folders, (line) => this.log(line));
      return [
        name,
        new ManagedServer(
          server,
          (line) => this.log(line),
          (line) => write(server.name, line),
        ),
      ];
    });
    this.servers = Object.fromEntries(managed) as Record<ServerName, ManagedServer>;
  }

  /** Requires the lock: a socket that exists already is then one that a killed supervisor left. */
  async listen(): Promise<void> {
    await createRunFolder(this.folders);
    await rm(this.folders.supervisorSocket, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.listener.once('error', reject).listen(this.folders.supervisorSocket, resolve);
    });
    setTimeout(() => this.stopWithoutClients(), FIRST_CLIENT_TIMEOUT_MS).unref();
  }

  /**
   * Stops the servers and exits. Connections stay open until then, so that a client that closes waits for the servers, and
   * one that has just connected then spawns the next supervisor.
   */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    this.stopped.abort();
    const results = await Promise.allSettled(Object.values(this.servers).map((server) => server.stop()));
    for (const result of results) if (result.status === 'rejected') this.log(errorMessage(result.reason));
    await rm(this.folders.run, { recursive: true, force: true });
    this.write('supervisor', 'stopped');
    process.exit();
  }

  log(line: string): void {
    this.write('supervisor', line);
    for (const client of this.clients) sendMessage<SupervisorMessage>(client, { type: 'log', line });
  }

  private onClientConnected(socket: Socket): void {
    const onDisconnected = (): void => {
      if (!this.clients.delete(socket)) return;
      if (this.clients.size > 0) socket.end();
      else this.stopWithoutClients();
    };
    this.clients.add(socket);
    socket.on('end', onDisconnected).on('error', onDisconnected).on('close', onDisconnected);
    receiveMessages<ServersRequest>(socket, ({ servers, background }) => {
      for (const name of background) this.startInBackground(name);
      void this.startServers(servers, socket);
    });
  }

  private async startServers(names: readonly ServerName[], client: Socket): Promise<void> {
    const reply = await Promise.all(names.map((name) => this.servers[name].start())).then(
      (): SupervisorMessage => ({ type: 'ready' }),
      (error: unknown): SupervisorMessage => ({ type: 'failed', message: errorMessage(error) }),
    );
    // While stopping there is no reply: the connection will close, and the client asks the next supervisor.
    if (!this.stopping) sendMessage(client, reply);
  }

  /** Starts a server, however many attempts that takes. Nobody waits for it. */
  private startInBackground(name: ServerName): void {
    if (this.inBackground.has(name)) return;
    this.inBackground.add(name);
    let logged: string | undefined;
    retryForever(() => this.servers[name].start(), {
      minBackoffMs: MIN_BACKGROUND_BACKOFF_MS,
      maxBackoffMs: MAX_BACKGROUND_BACKOFF_MS,
      signal: this.stopped.signal,
      onFailure: (error) => {
        const message = errorMessage(error);
        if (message !== logged && !this.stopping) this.log(message);
        logged = message;
      },
    }).catch(() => undefined); // It rejects only when the servers are being stopped.
  }

  private stopWithoutClients(): void {
    if (this.clients.size === 0) void this.stop();
  }
}

async function main(dataDir: string): Promise<void> {
  process.umask(0o077);
  // Some tools send Ctrl-C to all descendants of a process. The servers may still be needed by another process.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  const folders = await prepareFolders(dataDir);
  const write = openSupervisorLog(folders.supervisorLog);
  const supervisor = new Supervisor(folders, write);
  process.on('SIGTERM', () => void supervisor.stop());
  const acquired = await acquireLock(folders, () => {
    supervisor.log('another process has taken the data folder; stopping');
    void supervisor.stop();
  });
  if (!acquired) process.exit();
  await supervisor.listen();
  write('supervisor', `started (pid ${process.pid})`);
}

await main(process.argv[2] ?? process.cwd()).catch((error: unknown) => {
  console.error(errorMessage(error));
  process.exit(1);
});
