import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { retryForever } from '../async/retry-forever.js';
import { describeCause, isMisconfiguration } from './database-errors.js';
import { migrate } from './migrate.js';
import { UnsupportedSchemaError } from './migrations/squashed-migrations.js';

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

  /** Rejects `ready` early in the shutdown, so that nothing that stops waits for PostgreSQL. */
  onModuleDestroy(): void {
    const reason = new Error('The process is stopping.');
    this.stopped.abort(reason);
    this.rejectReady(reason);
  }

  private connect(): Promise<void> {
    return retryForever(
      async () => {
        if (!this.dataSource.isInitialized) await this.dataSource.initialize();
        await migrate(this.dataSource);
      },
      {
        signal: this.stopped.signal,
        onFailure: (error, backoffMs) => {
          if (isMisconfiguration(error) || error instanceof UnsupportedSchemaError) throw error;
          this.logger.warn(
            `PostgreSQL is unavailable (${describeCause(error)}). Next attempt in ${backoffMs} ms.`,
          );
        },
      },
    );
  }
}
