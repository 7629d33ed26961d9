import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { PeriodicTask } from '../async/periodic-task.js';
import { retryForever } from '../async/retry-forever.js';
import { describeCause, isMisconfiguration } from './database-errors.js';
import { Connections } from './connections.js';
import { migrate } from './migrate.js';
import { HealthSql } from './sql.js';

const WATCH_INTERVAL_MS = 5000;

/**
 * Connects to PostgreSQL and migrates it in the background, for as long as that takes: the API accepts events into Redis
 * while PostgreSQL is away, also at the start. Until then, queries fail with DatabaseUnavailableError.
 */
@Injectable()
export class Database implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Database');
  private readonly stopped = new AbortController();
  /** Resolves when the schema is up to date. Rejects when retrying cannot help, and when the process stops. */
  readonly ready: Promise<void>;
  /** True once `ready` has resolved. */
  isReady = false;
  /** Why PostgreSQL was unavailable at the last check. */
  private problem: string | undefined;
  private resolveReady: () => void;
  private rejectReady: (error: unknown) => void;

  /**
   * Logs an outage once, with its cause. Notices a failover that nothing else of this process would: readers of an old
   * primary, whose sessions a proxy keeps open, would read old rows without an error.
   */
  private readonly watch = new PeriodicTask({
    name: 'check PostgreSQL',
    intervalMs: WATCH_INTERVAL_MS,
    run: () => this.check(),
  });

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly connections: Connections,
    private readonly health: HealthSql,
  ) {
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve;
      this.rejectReady = reject;
    });
    this.ready.catch(() => undefined);
  }

  onModuleInit(): void {
    this.connect().then(() => {
      this.isReady = true;
      this.watch.start(WATCH_INTERVAL_MS);
      this.resolveReady();
    }, this.rejectReady);
  }

  /** Rejects `ready` early in the shutdown, so that nothing that stops waits for PostgreSQL. */
  onModuleDestroy(): void {
    const reason = new Error('The process is stopping.');
    this.stopped.abort(reason);
    void this.watch.stop();
    this.rejectReady(reason);
  }

  private async check(): Promise<void> {
    const problem = await this.health.checkWritable().then(() => undefined, describeCause);
    if (this.stopped.signal.aborted) return;
    if (problem !== undefined && this.problem === undefined)
      this.logger.warn(`PostgreSQL is unavailable (${problem}). Events stay in Redis, and readers get 503.`);
    if (problem === undefined && this.problem !== undefined)
      this.logger.log('PostgreSQL is available again.');
    this.problem = problem;
  }

  private connect(): Promise<void> {
    return retryForever(
      () =>
        this.connections.tryEachServer(async () => {
          if (!this.dataSource.isInitialized) await this.dataSource.initialize();
          await migrate(this.dataSource);
        }),
      {
        signal: this.stopped.signal,
        onFailure: (error, backoffMs) => {
          if (isMisconfiguration(error)) throw error;
          this.logger.warn(
            `PostgreSQL is unavailable (${describeCause(error)}). Next attempt in ${backoffMs} ms.`,
          );
        },
      },
    );
  }
}
