import { Logger } from '@nestjs/common';

/** Work that a process repeats for as long as it runs. */
export interface PeriodicJob {
  /** For the log. */
  readonly name: string;
  /** Milliseconds from the end of one run to the start of the next. */
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
  private stopped = false;
  private readonly logger = new Logger('PeriodicTask');

  constructor(private readonly job: PeriodicJob) {}

  /** Starts the first run after `delayMs`. */
  start(delayMs = 0): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => void (this.running = this.run()), delayMs).unref();
  }

  /** Resolves when no run is under way; none starts afterwards. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    let delayMs: number | void = undefined;
    try {
      delayMs = await this.job.run();
    } catch (error) {
      this.logger.error(`Could not ${this.job.name}: ${String(error)}`);
    }
    this.start(delayMs ?? this.job.intervalMs);
  }
}
