import { Logger } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { describeCause } from '../platform/database/database-errors.js';
import { registry } from '../platform/telemetry/metrics.js';

/** What is known of a job. */
interface JobState {
  failures: number;
  /** Milliseconds of performance.now(). */
  succeededAt: number;
  isFailing: boolean;
}

/**
 * Reports whether periodic jobs get on: in the log once when one begins to fail and once when it works again, and in
 * metrics.
 */
export class JobReports {
  private readonly logger = new Logger('PeriodicJobs');
  private readonly states: Map<string, JobState>;

  constructor(jobs: readonly string[]) {
    const startedAt = performance.now();
    const states = new Map(
      jobs.map((job): [string, JobState] => [job, { failures: 0, succeededAt: startedAt, isFailing: false }]),
    );
    this.states = states;
    const registers = [registry];
    const labelNames = ['task'];
    new Counter({
      name: 'the_eye_periodic_task_failures_total',
      help: 'Failed runs of a periodic job.',
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const [task, { failures }] of states) this.inc({ task }, failures);
      },
    });
    new Gauge({
      name: 'the_eye_periodic_task_success_age_seconds',
      help: 'Seconds since the last successful run of a periodic job, or since the start.',
      labelNames,
      registers,
      collect() {
        for (const [task, { succeededAt }] of states)
          this.set({ task }, (performance.now() - succeededAt) / 1000);
      },
    });
  }

  succeeded(job: string): void {
    const state = this.stateOf(job);
    if (state.isFailing) this.logger.log(`The job works again: ${job}.`);
    state.isFailing = false;
    state.succeededAt = performance.now();
  }

  failed(job: string, error: unknown): void {
    const state = this.stateOf(job);
    state.failures++;
    if (!state.isFailing)
      this.logger.warn(`Could not ${job} (${describeCause(error)}). It is tried again until it succeeds.`);
    state.isFailing = true;
  }

  private stateOf(job: string): JobState {
    return this.states.get(job) as JobState;
  }
}
