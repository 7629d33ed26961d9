import type { EventEmitter } from 'node:events';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { environment } from '../config/environment.js';
import { metrics, type StatementOutcome } from '../telemetry/metrics.js';
import { type SpanOptions, traced } from '../telemetry/tracing.js';
import { DatabaseUnavailableError, isOutage } from './database-errors.js';
import { statementName } from './statement-name.js';

const TRACED: SpanOptions = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } };

/** Selects a timestamptz as text, in UTC with six fractional digits: a Date would drop the microseconds. */
export const selectUtc = (column: string): string =>
  `${formatUtc(`${column} AT TIME ZONE 'UTC'`)} AS ${column}`;

/** The same of a timestamp that is in UTC already. */
export const formatUtc = (timestamp: string): string =>
  `to_char(${timestamp}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * Runs one statement with a deadline.
 *
 * A PostgreSQL that was stopped or cut off answers nothing, and a socket does not tell. So after `timeout`
 * milliseconds the connection is given up: it may still be waiting for an answer, and must not go back to the pool.
 * PostgreSQL is told, which would else go on with it.
 * @param gone says that nobody waits for the answer any more
 * @throws DatabaseUnavailableError when PostgreSQL is away, starts up, shuts down or is late; else QueryFailedError
 */
export async function query<Row>(
  manager: EntityManager,
  sql: string,
  parameters: unknown[],
  timeout = environment.QUERY_TIMEOUT,
  gone?: AbortSignal,
): Promise<Row[]> {
  const name = statementName(sql);
  const began = performance.now();
  let outcome: StatementOutcome = 'failed';
  try {
    const rows = await traced(name, TRACED, () => run<Row>(manager, sql, parameters, timeout, gone));
    outcome = 'ok';
    return rows;
  } catch (error) {
    if (error instanceof DatabaseUnavailableError) outcome = 'unavailable';
    throw error;
  } finally {
    metrics.statementDone(name, outcome, performance.now() - began);
  }
}

async function run<Row>(
  manager: EntityManager,
  sql: string,
  parameters: unknown[],
  timeout: number,
  gone?: AbortSignal,
): Promise<Row[]> {
  if (!manager.dataSource.isInitialized) throw new DatabaseUnavailableError();
  const runner = manager.dataSource.createQueryRunner();
  let connection: Connection | undefined;
  let timer: NodeJS.Timeout | undefined;
  let giveUp: (() => void) | undefined;
  try {
    connection = (await runner.connect()) as Connection;
    gone?.throwIfAborted();
    const late = new Promise<never>((_, reject) => {
      giveUp = (): void => {
        if (sql !== CANCEL) cancel(manager, connection?.processID);
        reject(new DatabaseUnavailableError({ late: true }));
      };
      timer = setTimeout(giveUp, timeout);
      gone?.addEventListener('abort', giveUp);
    });
    return await Promise.race([runner.query(sql, parameters) as Promise<Row[]>, late]);
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError) && !isOutage(error)) throw error;
    // TypeORM drops a connection that reports an error, instead of handing it to the next query.
    connection?.emit('error', error);
    throw error instanceof DatabaseUnavailableError ? error : new DatabaseUnavailableError({ cause: error });
  } finally {
    clearTimeout(timer);
    if (giveUp) gone?.removeEventListener('abort', giveUp);
    await runner.release();
  }
}

/** What a connection of node-postgres has that TypeORM's types do not tell. */
type Connection = EventEmitter & { processID?: number };

const CANCEL = 'SELECT pg_cancel_backend($1)';

/** Stops the statement of a connection that is given up; where PostgreSQL cannot be asked, it ends by itself. */
function cancel(manager: EntityManager, processId: number | undefined): void {
  query(manager, CANCEL, [processId]).catch(() => undefined);
}

/** Works in one snapshot, which begins once nobody else holds the advisory lock; for as long as it takes. */
export async function withLockedSnapshot<Result>(
  dataSource: DataSource,
  lock: number,
  work: (runner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
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
