import type { EventEmitter } from 'node:events';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { environment } from '../config/environment.js';
import { DatabaseUnavailableError, isOutage } from './database-errors.js';

/** Selects a timestamptz as text, in UTC with six fractional digits: a Date would drop the microseconds. */
export const utc = (column: string): string => `${utcText(`${column} AT TIME ZONE 'UTC'`)} AS ${column}`;

/** The same of a timestamp that is in UTC already. */
export const utcText = (timestamp: string): string =>
  `to_char(${timestamp}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/**
 * Runs one statement with a deadline.
 *
 * A PostgreSQL that was stopped or cut off answers nothing, and a socket does not tell. So after `timeout`
 * milliseconds the connection is given up: it may still be waiting for an answer, and must not go back to the pool.
 * @throws DatabaseUnavailableError when PostgreSQL is away, starts up, shuts down or is late; else QueryFailedError
 */
export async function query<Row>(
  manager: EntityManager,
  sql: string,
  parameters: unknown[],
  timeout = environment.QUERY_TIMEOUT,
): Promise<Row[]> {
  if (!manager.dataSource.isInitialized) throw new DatabaseUnavailableError();
  const runner = manager.dataSource.createQueryRunner();
  let connection: EventEmitter | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    connection = (await runner.connect()) as EventEmitter;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new DatabaseUnavailableError()), timeout);
    });
    return await Promise.race([runner.query(sql, parameters) as Promise<Row[]>, late]);
  } catch (error) {
    if (!(error instanceof DatabaseUnavailableError) && !isOutage(error)) throw error;
    // TypeORM drops a connection that reports an error, instead of handing it to the next query.
    connection?.emit('error', error);
    throw error instanceof DatabaseUnavailableError ? error : new DatabaseUnavailableError({ cause: error });
  } finally {
    clearTimeout(timer);
    await runner.release();
  }
}

/** Works in one snapshot, which begins once nobody else holds the advisory lock; for as long as it takes. */
export async function lockedSnapshot<Result>(
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
