import { Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ClickHouseUnavailableError,
  clickHouseCode,
  tooManyConditions,
} from '../platform/clickhouse/clickhouse-errors.js';
import {
  ClickHouse,
  type IsolatedOptions,
  type Parameters,
  type Settings,
  type StatementOptions,
} from '../platform/clickhouse/clickhouse.js';
import type { Filter } from '../platform/filters/filter.js';
import { filterSql, type SqlParameters } from '../platform/filters/filter-sql.js';
import { currentQuestion } from '../platform/questions/question.js';
import { microsecondsOf, type Timestamp } from '../platform/time/timestamp.js';
import { EVENTS } from '../replication/copy-table.js';
import { ReplicationStatusRepository } from '../replication/replication-status.repository.js';

/** What one question may use. ClickHouse refuses one that needs more, by the name of the limit. */
const LIMITS: Settings = {
  max_memory_usage: 110 * 1024 * 1024,
  max_rows_to_group_by: 1_000_000,
  max_result_rows: 100_000,
  // The answer must not depend on what a parsed payload looks like: see replication.
  json_type_escape_dots_in_keys: 1,
  type_json_skip_duplicated_paths: 1,
};

/** Sessions are summed up on disk beyond half of the memory, and not bounded by their number. */
export const SUMMED_ON_DISK =
  'SETTINGS max_rows_to_group_by = 0, max_bytes_before_external_group_by = 40000000';

/**
 * Characters of a statement. ClickHouse takes seconds to analyse as many if they are conditions, before it looks at its limit of
 * time, and cannot be interrupted meanwhile.
 */
const MAX_SQL_LENGTH = 64 * 1024;

const UNKNOWN_TABLE = '60';

/** Milliseconds to wait for the copy. Usually it is a second behind. */
const MAX_CATCH_UP_MS = 10_000;
const CATCH_UP_INTERVAL_MS = 100;

export type QuestionOptions = Pick<StatementOptions, 'timeoutMs' | 'signal'>;

/** The events that a question is about. */
export interface EventScope {
  /** Inclusive. */
  readonly from: Timestamp;
  /** Exclusive. */
  readonly to: Timestamp;
  readonly filter: Filter;
}

/** Asks ClickHouse about the copied events. */
@Injectable()
export class EventQuestions {
  constructor(
    private readonly clickhouse: ClickHouse,
    private readonly replication: ReplicationStatusRepository,
  ) {}

  /**
   * Every event that was stored until then is in the answers that are asked for afterwards.
   * @throws ClickHouseUnavailableError while the first copy is being made, and while ClickHouse is known to be away
   */
  async asOf(): Promise<string> {
    this.clickhouse.availability.require();
    const as_of = await this.replication.asOf();
    if (as_of === null) throw notCopiedYet();
    return as_of;
  }

  /**
   * Resolves once every event that is stored now is in the answers.
   * @throws ClickHouseUnavailableError while the first copy is being made, and if the copy is far behind
   */
  async caughtUp(signal?: AbortSignal): Promise<void> {
    await this.asOf();
    const entry = await this.replication.newestEntry();
    const deadline = Date.now() + MAX_CATCH_UP_MS;
    while (entry !== undefined && (await this.replication.isWaiting(entry))) {
      signal?.throwIfAborted();
      if (Date.now() > deadline)
        throw new ClickHouseUnavailableError(
          'The copy in ClickHouse lacks events that are stored; try again when it has caught up.',
        );
      await sleep(CATCH_UP_INTERVAL_MS);
    }
  }

  /**
   * Runs one statement of the current question.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError
   */
  async query<Row>(
    name: string,
    sql: string,
    { values }: SqlParameters,
    options: QuestionOptions = {},
  ): Promise<Row[]> {
    if (sql.length > MAX_SQL_LENGTH) throw tooManyConditions(MAX_SQL_LENGTH);
    try {
      return await this.ask((signal) =>
        this.clickhouse.query<Row>(sql, values, { name, settings: LIMITS, signal, ...options }),
      );
    } catch (error) {
      throw clickHouseCode(error) === UNKNOWN_TABLE ? notCopiedYet(error) : error;
    }
  }

  /**
   * Runs one statement of the current question for which only those tables exist that it names in full.
   * @throws ClickHouseUnavailableError, QuestionTooLargeError, ClickHouseError if the statement is wrong
   */
  async readIsolated(
    sql: string,
    parameters: Parameters,
    { settings, ...options }: Omit<IsolatedOptions, 'signal'>,
  ): Promise<string> {
    const limited = { ...options, settings: { ...LIMITS, ...settings } };
    try {
      return await this.ask((signal) =>
        this.clickhouse.readIsolated(sql, parameters, { ...limited, signal }),
      );
    } catch (error) {
      throw this.isWithoutCopy(error) ? notCopiedYet(error) : error;
    }
  }

  private ask<Result>(run: (signal: AbortSignal | undefined) => Promise<Result>): Promise<Result> {
    const question = currentQuestion();
    const statement = (): Promise<Result> => run(question?.signal);
    return question?.statement(statement) ?? statement();
  }

  /** Whether it is the table of the events that is missing. */
  private isWithoutCopy(error: unknown): boolean {
    const [, table] = /table expression identifier '(.*?)'/.exec((error as Error).message) ?? [];
    return clickHouseCode(error) === UNKNOWN_TABLE && table === `${this.clickhouse.database}.${EVENTS}`;
  }
}

const notCopiedYet = (cause?: unknown): ClickHouseUnavailableError =>
  new ClickHouseUnavailableError(
    'The events are being copied to ClickHouse, which answers questions; ask again later.',
    {
      cause,
    },
  );

/** The condition for the events of a scope. */
export function scopeSql({ from, to, filter }: EventScope, parameters: SqlParameters): string {
  const at = (time: Timestamp): string => parameters.add(String(microsecondsOf(time)), 'Int64');
  return `timestamp >= ${at(from)} AND timestamp < ${at(to)} AND ${filterSql(filter, parameters)}`;
}
