import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type pg from 'pg';
import { environment } from '../config/environment.js';
import { currentQuestion } from '../questions/question.js';
import { metrics, type StatementOutcome } from '../telemetry/metrics.js';
import { type SpanOptions, traced } from '../telemetry/tracing.js';
import { cancelStatement, type Connections } from './connections.js';
import { DatabaseUnavailableError, ReadOnlyError, sqlState, failureKindOf } from './database-errors.js';
import { statementName } from './statement-name.js';

const SPAN_OPTIONS: SpanOptions = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } };

/** SQLSTATE of a statement that would change something on a read-only server. */
const READ_ONLY = '25006';

const HEALTH_TIMEOUT_MS = 1500;

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

/** Runs the statements of one transaction. */
export interface Transaction {
  query<Row>(text: string, parameters?: unknown[]): Promise<Row[]>;
}

/**
 * Runs SQL with a deadline, a metric and a trace span for each statement. All repositories use it. Each of its classes has
 * a pool of its own, so that the statements of one purpose never wait for those of another. This one stores, and does what
 * the process itself needs.
 */
@Injectable()
export class Sql implements OnApplicationShutdown {
  private readonly clients = new Set<pg.PoolClient>();

  private readonly pool: pg.Pool;

  /** @param size number of connections at most */
  constructor(
    protected readonly connections: Connections,
    size: number,
  ) {
    this.pool = connections.createPool(size);
  }

  /** Drops the connections, and with them the statements in progress. */
  async onApplicationShutdown(): Promise<void> {
    for (const client of this.clients) this.release(client, true);
    await this.pool.end();
  }

  /**
   * @param text one statement with the placeholders `$1`, `$2`, …
   * @throws DatabaseUnavailableError when PostgreSQL is unavailable or misses the deadline, and when the statement lost
   *   against another one; its `cause` says why
   * @throws DatabaseError of node-postgres when PostgreSQL rejects the statement
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
   * Runs `work` in one REPEATABLE READ transaction, which starts once this process holds an advisory lock. It has no
   * deadline. A transaction of its own holds the lock: a statement that waited for it would have taken the snapshot before,
   * and a lock of the session would stay behind on a connection of a pooler.
   */
  withLockedSnapshot<Result>(
    lock: number,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    return this.transaction('BEGIN', async (holder) => {
      await holder.query('SELECT pg_advisory_xact_lock($1)', [lock]);
      return this.transaction('BEGIN ISOLATION LEVEL REPEATABLE READ', work);
    });
  }

  /**
   * Runs a statement and rolls it back.
   * @throws like `query`
   */
  async rehearse(text: string, parameters: unknown[], { timeoutMs }: { timeoutMs: number }): Promise<void> {
    const client = await this.connect();
    let failed = true;
    try {
      for (const [statement, values] of [['BEGIN'], [text, parameters], ['ROLLBACK']] as const) {
        const config = { text: statement, values, query_timeout: timeoutMs };
        await client.query(config);
      }
      failed = false;
    } catch (error) {
      throw failureKindOf(error) === 'outage' ? new DatabaseUnavailableError({ cause: error }) : error;
    } finally {
      this.release(client, failed);
    }
  }

  private async transaction<Result>(
    begin: string,
    work: (transaction: Transaction) => Promise<Result>,
  ): Promise<Result> {
    const client = await this.connect();
    let failed = true;
    try {
      await client.query(begin);
      const result = await work({
        query: async <Row>(text: string, parameters?: unknown[]) =>
          (await client.query(text, parameters)).rows as Row[],
      });
      await client.query('COMMIT');
      failed = false;
      return result;
    } finally {
      // Without its connection, PostgreSQL rolls the transaction back.
      this.release(client, failed);
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
    let client: pg.PoolClient | undefined;
    let timer: NodeJS.Timeout | undefined;
    let abandon: (() => void) | undefined;
    let cancelled: Promise<void> | undefined;
    let isLost = false;
    try {
      client = await this.connect();
      const connected = client;
      if (signal?.aborted) throw new DatabaseUnavailableError({ late: true });
      const abandoned = new Promise<never>((_, reject) => {
        abandon = (): void => {
          cancelled ??= cancelStatement(connected);
          reject(new DatabaseUnavailableError({ late: true }));
        };
        timer = setTimeout(abandon, timeoutMs);
        signal?.addEventListener('abort', abandon);
      });
      const { rows } = await Promise.race([connected.query(text, parameters), abandoned]);
      return rows as Row[];
    } catch (error) {
      if (error instanceof DatabaseUnavailableError) throw error;
      const kind = failureKindOf(error);
      isLost = kind === 'outage' || kind === 'misconfiguration';
      if (sqlState(error) === READ_ONLY) this.connections.renew();
      if (isLost || kind === 'conflict') throw new DatabaseUnavailableError({ cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
      if (abandon) signal?.removeEventListener('abort', abandon);
      if (client && cancelled) {
        const late = client;
        void cancelled.then(() => this.release(late, true));
      } else if (client) this.release(client, isLost);
    }
  }

  /** An error while connecting says nothing of a statement, whatever its SQLSTATE is. */
  private async connect(): Promise<pg.PoolClient> {
    try {
      const client = await this.connections.take(this.pool);
      this.clients.add(client);
      return client;
    } catch (error) {
      throw new DatabaseUnavailableError({ cause: error });
    }
  }

  private release(client: pg.PoolClient, drop: boolean): void {
    // The shutdown may have released it already.
    if (this.clients.delete(client)) client.release(drop || this.connections.isOutdated(client));
  }
}

/** Runs the questions of readers, as their admission permits. */
export class ReadSql extends Sql {
  override query<Row>(text: string, parameters?: unknown[], options?: SqlOptions): Promise<Row[]> {
    const run = (): Promise<Row[]> => super.query<Row>(text, parameters, options);
    return currentQuestion()?.statement(run) ?? run();
  }
}

/** Runs the look-ups of authentication. */
export class KeySql extends Sql {}

/** Runs the checks of readiness. */
export class HealthSql extends Sql {
  /**
   * Checks that PostgreSQL can store. If it is read-only, all connections of the process are replaced.
   * @throws DatabaseUnavailableError, with a ReadOnlyError as its `cause` if PostgreSQL is read-only
   */
  async checkWritable(): Promise<void> {
    const [state] = await this.query<{ read_only: boolean }>(
      `SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only`,
      [],
      { timeoutMs: HEALTH_TIMEOUT_MS },
    );
    if (state?.read_only === false) return;
    this.connections.renew();
    throw new DatabaseUnavailableError({ cause: new ReadOnlyError() });
  }
}
