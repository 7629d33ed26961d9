import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { setTimeout as wait } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { isMisconfiguration, describeCause } from './database-errors.js';
import { migrate } from './migrate.js';

const LONGEST_PAUSE = 5000;

/**
 * Connects and migrates in the background, for as long as it takes: events are accepted into Redis even while
 * PostgreSQL is away, also at start-up. Queries before that end in DatabaseUnavailableError.
 */
@Injectable()
export class Database implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('Database');
  private readonly stopped = new AbortController();
  /** Resolves once the schema is up to date; rejects when the connection settings are wrong or the process stops. */
  readonly ready: Promise<void>;
  /** True from then on. */
  isReady = false;
  private resolveReady: () => void;
  private rejectReady: (error: unknown) => void;

  constructor(@InjectDataSource() private readonly dataSource: DataSource) {
    this.ready = new Promise((resolve, reject) => {
      this.resolveReady = resolve;
      this.rejectReady = reject;
    });
    this.ready.catch(() => undefined);
  }

  onModuleInit(): void {
    this.connect().then(() => {
      this.isReady = true;
      this.resolveReady();
    }, this.rejectReady);
  }

  /** Before anybody else stops, so that nobody who stops waits for a PostgreSQL that may never come. */
  onModuleDestroy(): void {
    const reason = new Error('The Eye is stopping.');
    this.stopped.abort(reason);
    this.rejectReady(reason);
  }

  private async connect(): Promise<void> {
    for (let pause = 100; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      try {
        if (!this.dataSource.isInitialized) await this.dataSource.initialize();
        return await migrate(this.dataSource);
      } catch (error) {
        if (isMisconfiguration(error)) throw error;
        this.logger.warn(`PostgreSQL is away (${describeCause(error)}); trying again in ${pause} ms.`);
      }
      await wait(pause, undefined, { signal: this.stopped.signal });
    }
  }
}
