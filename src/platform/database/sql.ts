import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { environment } from '../config/environment.js';
import { query } from './query.js';

export interface SqlOptions {
  /** Milliseconds after which the statement is cancelled. */
  readonly timeoutMs?: number;
  /** Cancels the statement, because nobody waits for its rows any more. */
  readonly signal?: AbortSignal;
}

/** Runs SQL statements with a deadline, a metric and a trace span each. The one way to PostgreSQL for repositories. */
@Injectable()
export class Sql {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * @param text one statement with placeholders `$1`, `$2`, …
   * @throws DatabaseUnavailableError when PostgreSQL is away, starts up, shuts down or misses the deadline
   * @throws QueryFailedError when PostgreSQL rejects the statement
   */
  query<Row>(
    text: string,
    parameters: readonly unknown[] = [],
    { timeoutMs = environment.QUERY_TIMEOUT, signal }: SqlOptions = {},
  ): Promise<Row[]> {
    return query<Row>(this.dataSource.manager, text, [...parameters], timeoutMs, signal);
  }
}
