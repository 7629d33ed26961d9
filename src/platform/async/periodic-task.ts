import { Logger } from '@nestjs/common';

/** Work that a process repeats for as long as it runs. */
export interface PeriodicJob {
  /** For the log. */
  readonly name: string;
  /** Milliseconds from the end of one run to the start of the next; Infinity to wait until the task is woken. */
  readonly intervalMs: number;
  /**
   * One run. An error is logged, and the next run follows after `intervalMs`.
   * @returns milliseconds until the next run, where that differs from `intervalMs`
   */
  readonly run: () => Promise<number | void>;
}

/** Repeats a job: one run at a time, with a pause after each. The timer does not keep the process alive. */
export class PeriodicTask {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isRunning = false;
  private started = false;
  private stopped = false;
  /** When the next run starts, in milliseconds of performance.now(). */
  private nextAt = Infinity;
  private readonly logger = new Logger('PeriodicTask');

  constructor(private readonly job: PeriodicJob) {}

  /** Starts the first run after `delayMs`. */
  start(delayMs = 0): void {
    this.started = true;
    this.nextAt = Infinity;
    this.wake(delayMs);
  }

  /**
   * Brings the next run forward: it starts after `delayMs`, unless it would start before. After a run that is under way,
   * another one follows. Before `start()`, nothing happens.
   */
  wake(delayMs = 0): void {
    const at = performance.now() + delayMs;
    if (!this.started || at >= this.nextAt) return;
    this.nextAt = at;
    if (!this.isRunning) this.schedule();
  }

  /** Resolves when no run is under way; none starts afterwards. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (this.stopped || this.nextAt === Infinity) return;
    const delayMs = Math.max(0, this.nextAt - performance.now());
    this.timer = setTimeout(() => void (this.running = this.run()), delayMs).unref();
  }

  private async run(): Promise<void> {
    this.nextAt = Infinity;
    this.isRunning = true;
    let delayMs: number | void = undefined;
    try {
      delayMs = await this.job.run();
    } catch (error) {
      this.logger.error(`Could not ${this.job.name}: ${String(error)}`);
    }
    this.isRunning = false;
    this.nextAt = Math.min(this.nextAt, performance.now() + (delayMs ?? this.job.intervalMs));
    this.schedule();
  }
}
