import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { type PeriodicJob, PeriodicTask } from '../platform/async/periodic-task.js';
import { Database } from '../platform/database/database.js';
import { isOutage } from '../platform/database/database-errors.js';
import { RejectionsRetention } from '../rejections/rejections.retention.js';
import { SessionsKeeper } from '../sessions/sessions.keeper.js';
import { EventCountsKeeper } from '../statistics/event-counts.keeper.js';

/**
 * The table of all jobs that every worker repeats. They start when the database is ready. Locks in PostgreSQL keep the
 * workers from doing the same work twice.
 */
@Injectable()
export class PeriodicJobs implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('PeriodicJobs');
  private readonly tasks: PeriodicTask[];

  constructor(
    private readonly database: Database,
    rejections: RejectionsRetention,
    eventCounts: EventCountsKeeper,
    sessions: SessionsKeeper,
  ) {
    const jobs: PeriodicJob[] = [
      { name: 'roll up event counts', intervalMs: 1000, run: () => eventCounts.run() },
      // Less often, because a session that changes several times between two runs moves in the lists only once.
      { name: 'roll up sessions', intervalMs: 2000, run: () => sessions.run() },
      { name: 'remove old rejections', intervalMs: 60_000, run: () => rejections.run() },
    ];
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
    for (const task of this.tasks) void task.stop();
  }

  /** Runs a job. A failed run is repeated after the usual interval. */
  private async run({ name, run }: PeriodicJob): Promise<number | void> {
    try {
      return await run();
    } catch (error) {
      // Other parts of the process report an outage of PostgreSQL.
      if (!isOutage(error)) this.logger.error(`Could not ${name}: ${String(error)}`);
    }
  }
}
