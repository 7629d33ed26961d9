import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { retryForever } from '../async/retry-forever.js';
import { errorMessage } from './errors.js';
import { isRunning, stopLeftover, stopProcess } from './processes.js';
import type { ServerDefinition } from './server-definition.js';

/** Replaying a large log after a crash takes minutes, and a restart would only repeat it. */
const READY_TIMEOUT_MS = 300_000;
const PROBE_INTERVAL_MS = 40;
const PROGRESS_INTERVAL_MS = 5000;
const MIN_BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 5000;

/**
 * Attempts of the first start. The backends of a killed PostgreSQL take a moment to exit. A failure that persists is
 * reported to the client.
 */
const MAX_FIRST_ATTEMPTS = 4;

/** Output lines of the server that its start error quotes. */
const MAX_ERROR_LINES = 8;

/** Runs one server: starts it on request and restarts it after a crash, until `stop()`. */
export class ManagedServer {
  private child?: ChildProcess;
  /** The current start or restart. Settled while the server runs. */
  private ready?: Promise<void>;
  private readonly stopping = new AbortController();

  /**
   * @param log receives lines for the user
   * @param output receives what the server itself prints
   */
  constructor(
    private readonly server: ServerDefinition,
    private readonly log: (line: string) => void,
    private readonly output: (line: string) => void,
  ) {}

  /**
   * Resolves when the server is ready: at once if it runs, after the restart if it has just crashed.
   * @throws Error with the server's last lines
   */
  start(): Promise<void> {
    this.ready ??= this.firstStart().catch((error: unknown) => {
      this.ready = undefined;
      throw error;
    });
    return this.ready;
  }

  /** Resolves when the server is down, including one that a killed supervisor left behind. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.ready?.catch(() => undefined);
    if (this.child) await this.stopChild(this.child);
    else await stopLeftover(this.server);
  }

  private async firstStart(): Promise<void> {
    await stopLeftover(this.server);
    await this.server.prepare();
    await this.launch(MAX_FIRST_ATTEMPTS);
  }

  private async launch(maxAttempts: number): Promise<void> {
    let attempts = 0;
    await retryForever(() => this.launchOnce(), {
      minBackoffMs: MIN_BACKOFF_MS,
      maxBackoffMs: MAX_BACKOFF_MS,
      signal: this.stopping.signal,
      onFailure: (error) => {
        attempts += 1;
        if (attempts >= maxAttempts || this.stopping.signal.aborted) throw error;
        this.output(`the start failed and is repeated: ${errorMessage(error)}`);
      },
    });
  }

  private async launchOnce(): Promise<void> {
    this.stopping.signal.throwIfAborted();
    const child = await this.server.spawn();
    this.child = child;
    const lastLines = this.forwardOutput(child);
    try {
      await this.waitUntilReady(child);
    } catch (error) {
      await this.stopChild(child);
      await sleep(PROBE_INTERVAL_MS); // The last lines of an ended process may not have arrived yet.
      throw new Error([errorMessage(error), ...lastLines].join('\n  '), { cause: error });
    }
    // The process may have ended between the last probe and this line.
    if (isRunning(child)) child.once('exit', () => this.restart(child));
    else this.restart(child);
  }

  private async waitUntilReady(child: ChildProcess): Promise<void> {
    const { name } = this.server;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    let nextProgressAt = Date.now() + PROGRESS_INTERVAL_MS;
    await retryForever(() => this.server.probe(), {
      minBackoffMs: PROBE_INTERVAL_MS,
      maxBackoffMs: PROBE_INTERVAL_MS,
      signal: this.stopping.signal,
      onFailure: (error) => {
        if (!isRunning(child)) throw new Error(`${name} ended before it was ready (${exitReason(child)}):`);
        const reason = errorMessage(error);
        const now = Date.now();
        if (now > deadline) {
          throw new Error(`${name} is not ready after ${READY_TIMEOUT_MS / 1000} s (${reason}):`);
        }
        if (now > nextProgressAt) {
          nextProgressAt = now + PROGRESS_INTERVAL_MS;
          this.log(`${name} is still starting (${reason})`);
        }
      },
    });
  }

  private restart(child: ChildProcess): void {
    if (this.stopping.signal.aborted) return;
    const { name } = this.server;
    this.log(`${name} ended unexpectedly (${exitReason(child)}); restarting it`);
    this.ready = this.launch(Infinity).then(() => this.log(`${name} is back`));
    this.ready.catch(() => undefined); // Rejects only when the server is being stopped.
  }

  /** @returns the last lines, updated as they arrive */
  private forwardOutput(child: ChildProcess): readonly string[] {
    const lastLines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lastLines.push(line);
        if (lastLines.length > MAX_ERROR_LINES) lastLines.shift();
        this.output(line);
      });
    }
    return lastLines;
  }

  private stopChild(child: ChildProcess): Promise<void> {
    const { name, stopSignals } = this.server;
    return stopProcess({
      name,
      stopSignals,
      isRunning: () => isRunning(child),
      kill: (signal) => void child.kill(signal),
    });
  }
}

function exitReason(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${child.exitCode}`;
}
