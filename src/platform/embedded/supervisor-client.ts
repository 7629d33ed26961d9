import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { retryForever } from '../async/retry-forever.js';
import { errorCode, errorMessage } from './errors.js';
import type { Folders } from './folders.js';
import { receiveMessages, sendMessage, type ServersRequest, type SupervisorMessage } from './messages.js';
import { isRunning } from './processes.js';

/** Longer than `READY_TIMEOUT_MS` of a server, so that the reason of its failure arrives first. */
const CONNECT_TIMEOUT_MS = 330_000;
const CLOSE_TIMEOUT_MS = 150_000;
const CONNECT_INTERVAL_MS = 50;
const RECONNECT_INTERVAL_MS = 1000;

/** No supervisor listens, or it ended a moment ago. */
const NO_SUPERVISOR = new Set<string | undefined>(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE']);

/** The connection of a process to the supervisor, which runs the servers for as long as a client is connected. */
export class SupervisorClient {
  private socket?: Socket;
  private reconnecting?: Promise<void>;
  private readonly closing = new AbortController();

  constructor(
    private readonly folders: Folders,
    private readonly request: ServersRequest,
    private readonly log: (line: string) => void,
  ) {}

  /**
   * Resolves when the servers are ready. Spawns a supervisor if none is listening.
   * @throws Error of the server that does not start, or of the supervisor
   */
  async connect(): Promise<void> {
    const deadline = Date.now() + CONNECT_TIMEOUT_MS;
    let supervisor: ChildProcess | undefined;
    while (!(await this.requestServers(deadline))) {
      if (supervisor?.exitCode) throw new Error(await this.lastErrorLine());
      if (Date.now() > deadline) throw this.timeoutError();
      // A supervisor that exits with 0 has found another one, which may be about to end.
      if (!supervisor || !isRunning(supervisor)) supervisor = await this.spawnSupervisor();
      await sleep(CONNECT_INTERVAL_MS);
    }
  }

  /** Resolves when the supervisor has released this client; for the last client, when the servers have stopped. */
  async close(): Promise<void> {
    this.closing.abort();
    // Only a new supervisor can stop the servers of one that was killed.
    await this.reconnecting;
    const { socket } = this;
    if (!socket || socket.closed) return;
    await new Promise<void>((resolve) => {
      socket.ref().setTimeout(CLOSE_TIMEOUT_MS, () => socket.destroy());
      socket.once('close', () => resolve()).end();
    });
  }

  /** Resolves to false when no supervisor is listening, or when it ends before the servers are ready. */
  private requestServers(deadline: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let ready = false;
      const socket = connect(this.folders.supervisorSocket, () =>
        sendMessage<ServersRequest>(socket, this.request),
      );
      this.socket = socket;
      const timer = setTimeout(() => socket.destroy(this.timeoutError()), deadline - Date.now());
      socket.on('error', (error) => {
        if (!NO_SUPERVISOR.has(errorCode(error))) reject(error);
      });
      socket.once('close', () => {
        clearTimeout(timer);
        if (ready && !this.closing.signal.aborted) this.reconnecting = this.reconnect();
        else resolve(false);
      });
      receiveMessages<SupervisorMessage>(socket, (message) => {
        switch (message.type) {
          case 'log':
            return this.log(message.line);
          case 'failed':
            return socket.destroy(new Error(message.message));
          case 'ready':
            ready = true;
            clearTimeout(timer);
            // A script that forgets to close can still exit; the supervisor notices.
            socket.unref();
            return resolve(true);
        }
      });
    });
  }

  private async reconnect(): Promise<void> {
    this.log('the supervisor of the embedded servers has ended; starting another one');
    const connected = await retryForever(() => this.connect(), {
      minBackoffMs: RECONNECT_INTERVAL_MS,
      maxBackoffMs: RECONNECT_INTERVAL_MS,
      signal: this.closing.signal,
      onFailure: (error) => this.log(errorMessage(error)),
    }).then(
      () => true,
      () => false, // Closing.
    );
    if (connected) this.log('the embedded servers are back');
  }

  private async spawnSupervisor(): Promise<ChildProcess> {
    const { data, supervisorLog } = this.folders;
    const log = await open(supervisorLog, 'a', 0o600);
    // PG* variables would change how PostgreSQL behaves; NODE_* would attach a debugger or a test hook to the supervisor.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(PG|NODE_)/.test(name)));
    const program = fileURLToPath(new URL('./supervisor.js', import.meta.url));
    const supervisor = spawn(process.execPath, [program, data], {
      cwd: data,
      // A session of its own: Ctrl-C reaches this process and not the servers, which others may use.
      detached: true,
      env,
      stdio: ['ignore', log.fd, log.fd],
    });
    supervisor.unref();
    await once(supervisor, 'spawn').finally(() => log.close());
    return supervisor;
  }

  private async lastErrorLine(): Promise<string> {
    const lines = (await readFile(this.folders.supervisorLog, 'utf8')).trimEnd().split('\n');
    // Lines of the log start with the time; what a failing supervisor prints does not.
    const reason = lines.findLast((line) => !/^\d{4}-/.test(line)) ?? 'unknown reason';
    return `The supervisor of the embedded servers failed: ${reason} (${this.folders.supervisorLog})`;
  }

  private timeoutError(): Error {
    return new Error(
      `The embedded servers are not ready after ${CONNECT_TIMEOUT_MS / 1000} s; see ${this.folders.supervisorLog}`,
    );
  }
}
