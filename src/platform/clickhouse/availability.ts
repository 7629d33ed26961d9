import { Logger } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { PeriodicTask } from '../async/periodic-task.js';
import { registry } from '../telemetry/metrics.js';
import {
  ClickHouseUnavailableError,
  fromClickHouseError,
  HOW_TO_HAVE_CLICKHOUSE,
} from './clickhouse-errors.js';

/** How old a check may be when somebody asks whether ClickHouse is available, or runs a statement. */
const MAX_CHECK_AGE_MS = 2000;
/** While nobody does, an outage is only logged. */
const IDLE_CHECK_INTERVAL_MS = 10_000;
const OUTAGE_CHECK_INTERVAL_MS = 250;

/** Milliseconds after the start of this process in which an embedded ClickHouse may still be starting. */
const STARTUP_GRACE_MS = 30_000;

/** Whether ClickHouse is available, as a check found that runs now and then, and more often while it is not. */
export class ClickHouseAvailability {
  private readonly logger = new Logger('ClickHouse');
  private readonly startedAt = Date.now();
  private hasWorked = false;
  /** Why it was unavailable at the last check; undefined while it is available. */
  private outage: ClickHouseUnavailableError | undefined;
  private loggedProblem: string | undefined;
  private readonly watch = new PeriodicTask({
    name: 'check ClickHouse',
    intervalMs: IDLE_CHECK_INTERVAL_MS,
    run: () => this.check(),
  });
  private checking: Promise<void> | undefined;
  /** When the last check ended, in milliseconds of performance.now(). */
  private checkedAt = -Infinity;

  /** @param probe rejects while ClickHouse cannot be used; undefined if there is no ClickHouse */
  constructor(private readonly probe: (() => Promise<void>) | undefined) {
    if (!probe) this.outage = new ClickHouseUnavailableError(HOW_TO_HAVE_CLICKHOUSE);
    const isAvailable = async (): Promise<boolean> => (await this.currentProblem()) === undefined;
    new Gauge({
      name: 'the_eye_clickhouse_up',
      help: 'Whether ClickHouse, which answers questions, is available: 1 or 0.',
      registers: [registry],
      async collect() {
        this.set((await isAvailable()) ? 1 : 0);
      },
    });
  }

  start(): void {
    if (this.probe) this.watch.start();
  }

  stop(): Promise<void> {
    return this.watch.stop();
  }

  get isAvailable(): boolean {
    return this.outage === undefined;
  }

  /**
   * Why ClickHouse is unavailable, without secrets and addresses; undefined if it is available. Checks that, unless it was
   * checked in the last MAX_CHECK_AGE_MS.
   */
  async currentProblem(): Promise<string | undefined> {
    await this.checkIfOld();
    return this.outage?.message;
  }

  /** @throws ClickHouseUnavailableError if it was unavailable at the last check, or if there is none */
  require(): void {
    if (this.outage) throw this.outage;
  }

  /** Checks, unless that was done in the last MAX_CHECK_AGE_MS. Never rejects. */
  checkIfOld(): Promise<void> {
    return performance.now() - this.checkedAt > MAX_CHECK_AGE_MS ? this.check() : Promise.resolve();
  }

  /** Finds out whether ClickHouse is available. Never rejects. */
  check(): Promise<void> {
    return (this.checking ??= this.findAndLogOutage().finally(() => (this.checking = undefined)));
  }

  private async findAndLogOutage(): Promise<void> {
    const { probe } = this;
    if (!probe) return;
    this.outage = await findOutage(probe);
    this.checkedAt = performance.now();
    if (this.outage) this.watch.wake(OUTAGE_CHECK_INTERVAL_MS);
    this.hasWorked ||= this.outage === undefined;
    this.logChange();
  }

  private logChange(): void {
    const problem = this.outage?.message;
    const isStarting = !this.hasWorked && Date.now() - this.startedAt < STARTUP_GRACE_MS;
    if (problem === this.loggedProblem || isStarting) return;
    if (problem !== undefined)
      this.logger.warn(
        `${problem} Events are stored all the same; questions get 503 until that has changed.`,
      );
    else this.logger.log('ClickHouse is available again.');
    this.loggedProblem = problem;
  }
}

async function findOutage(probe: () => Promise<void>): Promise<ClickHouseUnavailableError | undefined> {
  try {
    await probe();
    return undefined;
  } catch (error) {
    const known = fromClickHouseError(error);
    if (known instanceof ClickHouseUnavailableError) return known;
    return new ClickHouseUnavailableError(`ClickHouse cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
