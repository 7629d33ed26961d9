import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type PeriodicJob, PeriodicTask } from '../platform/async/periodic-task.js';
import { Database } from '../platform/database/database.js';
import { RejectionsRetention } from '../rejections/rejections.retention.js';
import { Eraser } from '../replication/eraser.js';
import { COPY_INTERVAL_MS } from '../replication/copy-pause.js';
import { Replicator } from '../replication/replicator.js';
import { JobReports } from './job-reports.js';

/**
 * The table of all jobs that every worker repeats. They start when the database is ready. PostgreSQL keeps the
 * workers from doing the same work twice: by locks, and by a claim that expires.
 */
@Injectable()
export class PeriodicJobs implements OnModuleInit, OnModuleDestroy {
  private readonly reports: JobReports;
  private stopping = false;
  private readonly tasks: PeriodicTask[];

  constructor(
    private readonly database: Database,
    rejections: RejectionsRetention,
    replicator: Replicator,
    eraser: Eraser,
  ) {
    const jobs: PeriodicJob[] = [
      { name: 'copy events to ClickHouse', intervalMs: COPY_INTERVAL_MS, run: () => replicator.run() },
      { name: 'erase removed events in ClickHouse', intervalMs: 10_000, run: () => eraser.run() },
      { name: 'remove old rejections', intervalMs: 60_000, run: () => rejections.run() },
    ];
    this.reports = new JobReports(jobs.map(({ name }) => name));
    this.tasks = jobs.map((job) => new PeriodicTask({ ...job, run: () => this.run(job) }));
  }

  onModuleInit(): void {
    this.database.ready.then(
      () => this.tasks.forEach((task) => task.start()),
      () => undefined,
    );
  }

  /** Does not wait for a run in flight, which may last STORE_TIMEOUT: PostgreSQL finishes its statement or rolls it back. */
  onModuleDestroy(): void {
    this.stopping = true;
    for (const task of this.tasks) void task.stop();
  }

  /** Runs a job. A failed run is reported, and repeated after the usual interval. */
  private async run({ name, run }: PeriodicJob): Promise<number | void> {
    try {
      const delayMs = await run();
      this.reports.succeeded(name);
      return delayMs;
    } catch (error) {
      // The end of the process cuts a run off.
      if (!this.stopping) this.reports.failed(name, error);
    }
  }
}
