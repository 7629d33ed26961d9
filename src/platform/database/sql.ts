import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { EventEmitter } from 'node:events';
import { DataSource, type QueryRunner } from 'typeorm';
import { environment } from '../config/environment.js';
import { metrics, type StatementOutcome } from '../telemetry/metrics.js';
import { type SpanOptions, traced } from '../telemetry/tracing.js';
import { DatabaseUnavailableError, isOutage } from './database-errors.js';
import { statementName } from './statement-name.js';

const SPAN_OPTIONS: SpanOptions = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } };

const CANCEL_BACKEND = 'SELECT pg_cancel_backend($1)';

/** Selects a `timestamptz` column as text, in UTC with six fractional digits. A JavaScript Date drops the microseconds. */
export const selectUtc = (column: string): string =>
  `${formatUtc(`${column} AT TIME ZONE 'UTC'`)} AS ${column}`;

/** The same for a `timestamp` expression that is in UTC already. */
export const formatUtc = (timestamp: string): string =>
  `to_char(${timestamp}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

export interface SqlOptions {
  /** Milliseconds after which the statement is cancelled. */
  readonly timeoutMs?: number;
  /** Cancels the statement when its result is no longer needed. */
  readonly signal?: AbortSignal;
}

/** The parts of a node-postgres connection that TypeORM's types leave out. */
type Connection = EventEmitter & { processID?: number };

/** Runs SQL with a deadline, a metric and a trace span for each statement. All repositories use it. */
@Injectable()
export class Sql {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * @param text one statement with the placeholders `$1`, `$2`, …
   * @throws DatabaseUnavailableError when PostgreSQL is unavailable or misses the deadline
   * @throws QueryFailedError when PostgreSQL rejects the statement
   */
  async query<Row>(text: string, parameters: unknown[] = [], options: SqlOptions = {}): Promise<Row[]> {
    const name = statementName(text);
    const startedAt = performance.now();
    let outcome: StatementOutcome = 'failed';
    try {
      const rows = await traced(name, SPAN_OPTIONS, () => this.run<Row>(text, parameters, options));
      outcome = 'ok';
      return rows;
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) outcome = 'unavailable';
      throw error;
    } finally {
      metrics.statementDone(name, outcome, performance.now() - startedAt);
    }
  }

  /**
   * Runs `work` in one REPEATABLE READ transaction, which starts once this session holds an advisory lock. It has no
   * deadline.
   */
  async withLockedSnapshot<Result>(
    lock: number,
    work: (runner: QueryRunner) => Promise<Result>,
  ): Promise<Result> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.query('SELECT pg_advisory_lock($1)', [lock]);
      await runner.startTransaction('REPEATABLE READ');
      const result = await work(runner);
      await runner.commitTransaction();
      return result;
    } finally {
      if (runner.isTransactionActive) await runner.rollbackTransaction();
      await runner.query('SELECT pg_advisory_unlock($1)', [lock]);
      await runner.release();
    }
  }

  /**
   * A stopped or unreachable PostgreSQL sends nothing, and its socket does not report that. After the deadline this drops
   * the connection, which may still receive a response and must not return to the pool, and asks PostgreSQL to cancel
   * the statement, which it would otherwise finish.
   */
  private async run<Row>(
    text: string,
    parameters: unknown[],
    { timeoutMs = environment.QUERY_TIMEOUT, signal }: SqlOptions,
  ): Promise<Row[]> {
    if (!this.dataSource.isInitialized) throw new DatabaseUnavailableError();
    const runner = this.dataSource.createQueryRunner();
    let connection: Connection | undefined;
    let timer: NodeJS.Timeout | undefined;
    let abandon: (() => void) | undefined;
    try {
      connection = (await runner.connect()) as Connection;
      signal?.throwIfAborted();
      const abandoned = new Promise<never>((_, reject) => {
        abandon = (): void => {
          if (text !== CANCEL_BACKEND) this.cancel(connection?.processID);
          reject(new DatabaseUnavailableError({ late: true }));
        };
        timer = setTimeout(abandon, timeoutMs);
        signal?.addEventListener('abort', abandon);
      });
      return await Promise.race([runner.query(text, parameters) as Promise<Row[]>, abandoned]);
    } catch (error) {
      if (!(error instanceof DatabaseUnavailableError) && !isOutage(error)) throw error;
      // TypeORM drops a connection that reports an error instead of returning it to the pool.
      connection?.emit('error', error);
      throw error instanceof DatabaseUnavailableError
        ? error
        : new DatabaseUnavailableError({ cause: error });
    } finally {
      clearTimeout(timer);
      if (abandon) signal?.removeEventListener('abort', abandon);
      await runner.release();
    }
  }

  /** Best effort: if PostgreSQL is unreachable, the statement ends by itself. */
  private cancel(processId: number | undefined): void {
    this.query(CANCEL_BACKEND, [processId]).catch(() => undefined);
  }
}
