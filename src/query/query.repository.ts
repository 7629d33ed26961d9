import { Injectable } from '@nestjs/common';
import { clickHouseCode, ClickHouseUnavailableError } from '../platform/clickhouse/clickhouse-errors.js';
import { ClickHouse, type Settings } from '../platform/clickhouse/clickhouse.js';
import { EVENTS } from '../replication/copy-table.js';
import { EventQuestions } from '../questions/event-questions.js';
import type { ParameterValue } from './dto/query.dto.js';
import { toStatementError } from './statement-errors.js';
import { LIMITS, LIMITS_OF_NEW_VERSIONS, SANDBOX } from './sandbox/settings.js';
import { type Node, parseSyntaxTree } from './sandbox/syntax-tree.js';

/** ClickHouse's code of a missing database (UNKNOWN_DATABASE). */
const UNKNOWN_DATABASE = '81';

/** Bytes of an answer, as JSON. */
export const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** The name of a caller's placeholder begins with a letter. */
const APPLICATION = '_application';

type Values = Readonly<Record<string, ParameterValue>>;

export interface RunOptions {
  /** Of `events`, as expressions on the table `copied`. */
  readonly columns: readonly string[];
  /** Shows only events of this application; undefined for all. */
  readonly application: string | undefined;
  readonly parameters: Values;
  readonly maxRows: number;
}

interface IsolatedStatement {
  readonly format: string;
  readonly settings: Settings;
  /** What the statement parses, so that an error names the place. */
  readonly text?: string;
}

/** Asks ClickHouse to format, parse and run the SQL of callers. */
@Injectable()
export class QueryRepository {
  private settings: Promise<Settings> | undefined;

  constructor(
    private readonly clickhouse: ClickHouse,
    private readonly questions: EventQuestions,
  ) {}

  /**
   * The statement as ClickHouse's formatter writes it: one line, without comments.
   * @param sql anything; it is bound as a text
   * @throws InvalidFieldsError if it is not one statement, with the place
   */
  async format(sql: string): Promise<string> {
    const row = await this.read('SELECT formatQuerySingleLine({sql:String}) AS sql', { sql }, sql);
    return (JSON.parse(row) as { sql: string }).sql;
  }

  /**
   * @param statement from `format()`, and checked: it has no clause that could do anything
   * @throws InvalidFieldsError if a value does not fit its placeholder
   */
  async syntaxTree(statement: string, parameters: Values): Promise<Node> {
    const lines = await this.read(`EXPLAIN AST SELECT 1 FROM (${statement})`, parameters);
    const nodes = lines
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { explain: string });
    return parseSyntaxTree(nodes.map(({ explain }) => explain));
  }

  /**
   * Runs a permitted statement, with `events` defined around it.
   *
   * PREWHERE is a barrier: ClickHouse adds no other condition to it, so no expression of the caller sees a row of another
   * application. In a WHERE it could, and its error would contain a value of the row.
   * @returns the answer in the format JSONCompact
   * @throws InvalidFieldsError, QuestionTooLargeError, ClickHouseUnavailableError
   */
  async run(statement: string, { columns, application, parameters, maxRows }: RunOptions): Promise<string> {
    const table = `${this.clickhouse.database}.${EVENTS}`;
    const isBound = application !== undefined;
    const barrier = isBound ? ` PREWHERE application = {${APPLICATION}:String}` : '';
    const sql =
      `WITH events AS (SELECT ${columns.join(', ')} FROM ${table} AS copied${barrier})\n` +
      `SELECT * FROM (${statement}) LIMIT ${maxRows}`;
    const settings = { ...(await this.sandbox()), max_result_rows: maxRows };
    const values = isBound ? { ...parameters, [APPLICATION]: application } : parameters;
    return this.isolated('query', sql, values, {
      format: 'JSONCompact',
      settings: isBound
        ? // The second net. The names of applications have no characters that need escaping.
          { ...settings, additional_table_filters: `{'${table}':'application = ''${application}'''}` }
        : settings,
    });
  }

  private async read(sql: string, parameters: Values, text?: string): Promise<string> {
    const settings = await this.sandbox();
    return this.isolated('parse query', sql, parameters, { format: 'JSONEachRow', settings, text });
  }

  private async isolated(
    name: string,
    sql: string,
    parameters: Values,
    { text, ...options }: IsolatedStatement,
  ): Promise<string> {
    try {
      return await this.questions.readIsolated(sql, parameters, {
        name,
        maxBytes: MAX_ANSWER_BYTES,
        ...options,
      });
    } catch (error) {
      if (clickHouseCode(error) === UNKNOWN_DATABASE) this.settings = undefined;
      throw toStatementError(error, text);
    }
  }

  /** The settings of every statement. Creates the empty database before the first one. */
  private sandbox(): Promise<Settings> {
    return (this.settings ??= this.prepare().catch((error: unknown) => {
      this.settings = undefined;
      throw error;
    }));
  }

  private async prepare(): Promise<Settings> {
    await this.createEmptyDatabase();
    const known = await this.clickhouse.query<{ name: string }>(
      'SELECT name FROM system.settings WHERE name IN {names:Array(String)}',
      { names: Object.keys(LIMITS_OF_NEW_VERSIONS) },
    );
    const others = known.map(({ name }) => [name, LIMITS_OF_NEW_VERSIONS[name] ?? 0]);
    return { ...LIMITS, ...(Object.fromEntries(others) as Settings), ...SANDBOX };
  }

  /** @throws ClickHouseUnavailableError, also if the user of CLICKHOUSE_URL may not do that */
  private async createEmptyDatabase(): Promise<void> {
    try {
      await this.clickhouse.command(`CREATE DATABASE IF NOT EXISTS ${this.clickhouse.emptyDatabase}`);
    } catch (error) {
      if (error instanceof ClickHouseUnavailableError) throw error;
      throw new ClickHouseUnavailableError(
        'The user of CLICKHOUSE_URL cannot create the database without tables that SQL of callers runs in: see docs/sql.md.',
        { cause: error },
      );
    }
  }
}
