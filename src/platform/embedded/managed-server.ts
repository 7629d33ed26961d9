import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from './errors.js';
import { end, endLeftover } from './processes.js';

/** What the supervisor must know of a server. */
export interface Server {
  readonly name: string;
  /** Its data and its working directory. */
  readonly folder: string;
  readonly pidFile: string;
  /** The first one is the clean way to stop it; each further one is less patient. */
  readonly stopSignals: readonly NodeJS.Signals[];
  /** Brings about what the very first start needs; does little when that is there. */
  prepare(): Promise<void>;
  /** Clears away what a crash left and spawns the server with piped output. */
  spawn(): Promise<ChildProcess>;
  /** Resolves when the server serves, rejects as long as it does not. */
  probe(): Promise<void>;
}

/** Milliseconds. Replaying a large log after a crash takes minutes, and stopping it would only make it start over. */
const READY_LIMIT = 300_000;
const PROBE_PAUSE = 40;
const PROGRESS_EVERY = 5000;
const LONGEST_PAUSE = 5000;

/** The backends of a killed PostgreSQL need a moment to notice; what still fails then fails for good. */
const FIRST_ATTEMPTS = 4;
const LINES_IN_ERROR = 8;

/** Keeps one server running until it is told to stop. */
export class ManagedServer {
  private child?: ChildProcess;
  private ready?: Promise<void>;
  private stopping = false;

  /**
   * @param log takes what the user should know
   * @param output takes what the server itself prints
   */
  constructor(
    private readonly server: Server,
    private readonly log: (line: string) => void,
    private readonly output: (line: string) => void,
  ) {}

  /**
   * Resolves when the server is ready: at once where it runs, and after its restart where it has just crashed.
   * @throws Error with the server's last lines
   */
  start(): Promise<void> {
    this.ready ??= this.firstStart().catch((error: unknown) => {
      this.ready = undefined;
      throw error;
    });
    return this.ready;
  }

  /** Resolves when the server is down: ours, even while it is still starting, or one that a killed keeper left. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.endChild();
    await this.ready?.catch(() => undefined);
    await this.endChild();
    if (!this.child) await this.endLeftover();
  }

  private async firstStart(): Promise<void> {
    await this.endLeftover();
    await this.server.prepare();
    await this.launch(FIRST_ATTEMPTS);
  }

  private async launch(attempts: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.launchOnce();
      } catch (error) {
        if (this.stopping || attempt >= attempts) throw error;
        this.output(`start failed, trying again: ${errorMessage(error)}`);
        await sleep(Math.min(100 * 2 ** attempt, LONGEST_PAUSE));
      }
    }
  }

  private async launchOnce(): Promise<void> {
    if (this.stopping) throw new Error(`${this.server.name} is being stopped.`);
    const child = await this.server.spawn();
    this.child = child;
    const lastLines = this.follow(child);
    try {
      await this.untilReady(child, lastLines);
    } catch (error) {
      await this.endChild();
      throw error;
    }
    // An exit between the last probe and this line counts as well.
    if (isRunning(child)) child.once('exit', () => this.restart(child));
    else this.restart(child);
  }

  private async untilReady(child: ChildProcess, lastLines: readonly string[]): Promise<void> {
    const { name } = this.server;
    const began = Date.now();
    let progress = began;
    let failure: unknown;
    while (Date.now() < began + READY_LIMIT) {
      if (!isRunning(child)) {
        await sleep(PROBE_PAUSE); // Its last lines are still on their way.
        throw new Error(
          [`${name} ended before it was ready (${howItEnded(child)}):`, ...lastLines].join('\n  '),
        );
      }
      try {
        return await this.server.probe();
      } catch (error) {
        failure = error;
      }
      if (Date.now() > progress + PROGRESS_EVERY) {
        progress = Date.now();
        this.log(`${name} is still starting (${errorMessage(failure)})`);
      }
      await sleep(PROBE_PAUSE);
    }
    throw new Error(`${name} was not ready after ${READY_LIMIT / 1000} s (${errorMessage(failure)})`);
  }

  private restart(child: ChildProcess): void {
    if (this.stopping) return;
    this.log(`${this.server.name} ended unexpectedly (${howItEnded(child)}); starting it again`);
    this.ready = this.launch(Infinity).then(() => this.log(`${this.server.name} is back`));
    this.ready.catch(() => undefined);
  }

  private follow(child: ChildProcess): readonly string[] {
    const lines: string[] = [];
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        if (lines.length > LINES_IN_ERROR) lines.shift();
        this.output(line);
      });
    }
    return lines;
  }

  private endLeftover(): Promise<void> {
    const { name, folder, pidFile, stopSignals } = this.server;
    return endLeftover(name, folder, pidFile, stopSignals);
  }

  private async endChild(): Promise<void> {
    const { child, server } = this;
    if (child)
      await end(
        server.name,
        () => isRunning(child),
        (signal) => void child.kill(signal),
        server.stopSignals,
      );
  }
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function howItEnded(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${child.exitCode}`;
}

/** @throws Error when the program cannot be run at all, e.g. ENOENT */
export async function spawned(child: ChildProcess): Promise<ChildProcess> {
  await once(child, 'spawn');
  return child;
}
