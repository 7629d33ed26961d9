import type { ClickHouseClient } from '@clickhouse/client';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseClickHouseUrl } from '../config/clickhouse-url.js';
import { environment } from '../config/environment.js';
import { currentQuestion } from '../questions/question.js';
import { metrics, type StatementOutcome } from '../telemetry/metrics.js';
import { type SpanOptions, traced } from '../telemetry/tracing.js';
import { ClickHouseAvailability } from './availability.js';
import { createClickHouseClient } from './clickhouse-client.js';
import {
  answerTooLarge,
  clickHouseCode,
  ClickHouseUnavailableError,
  HOW_TO_HAVE_CLICKHOUSE,
  isConnectionLost,
  fromClickHouseError,
} from './clickhouse-errors.js';
import { PreparedDatabase } from './prepared-database.js';

const SPAN_OPTIONS: SpanOptions = { kind: 'client', attributes: { 'db.system.name': 'clickhouse' } };

/** Milliseconds that ClickHouse has to report its own time limit before the connection is dropped. */
const GRACE_MS = 2000;

/** The same for the embedded one while it responds: longer than its statements wait for each other. */
const EMBEDDED_GRACE_MS = 25_000;

/** Milliseconds between two checks whether the embedded one still responds to a statement that is late. */
const LATE_CHECK_INTERVAL_MS = 2000;

const PING_TIMEOUT_MS = 3000;

/** ClickHouse's code of a missing database (UNKNOWN_DATABASE). */
const UNKNOWN_DATABASE = '81';

export type Settings = Readonly<Record<string, string | number>>;

/** Values of placeholders. Strings, numbers, bigints, booleans, null, and arrays and objects of them. */
export type Parameters = Readonly<Record<string, unknown>>;

export interface StatementOptions {
  /** Milliseconds after which the statement is cancelled; QUERY_TIMEOUT by default. */
  readonly timeoutMs?: number;
  /** Cancels the statement when its result is no longer needed. */
  readonly signal?: AbortSignal;
  /** Settings of ClickHouse for this statement, e.g. `{ max_result_rows: 1000 }`. */
  readonly settings?: Settings;
  /** For the metric and the trace, e.g. `statistics`; the first word of the statement by default. */
  readonly name?: string;
}

export interface StreamOptions extends StatementOptions {
  /** A format of ClickHouse; JSONEachRow by default. */
  readonly format?: string;
}

export interface IsolatedOptions extends StatementOptions {
  /** A format of ClickHouse. */
  readonly format: string;
  /** Bytes of the answer. */
  readonly maxBytes: number;
}

export interface InsertOptions extends StatementOptions {
  /** The same token again stores nothing (`insert_deduplication_token`). */
  readonly token?: string;
  readonly columns?: readonly string[];
}

interface Connection {
  readonly client: ClickHouseClient;
  /** Works in the empty database. */
  readonly isolated: ClickHouseClient;
  readonly database: PreparedDatabase;
}

/** What the client needs to know of a statement, beside its text. */
interface Request {
  readonly abort_signal: AbortSignal;
  readonly clickhouse_settings: Record<string, string | number>;
}

/**
 * Runs statements in ClickHouse, the embedded one or a server, with a deadline, a metric and a trace span for each. Their
 * database is created when it is missing. While ClickHouse is away, each fails at once.
 *
 * Each method throws a ClickHouseUnavailableError when ClickHouse is away, late or overloaded, a QuestionTooLargeError when
 * the statement exceeds a limit, and a ClickHouseError of the client when ClickHouse rejects the statement.
 *
 * @example
 * await clickhouse.query<{ name: string; events: string }>(
 *   'SELECT name, count() AS events FROM events WHERE category = {category:String} GROUP BY name',
 *   { category: 'page interaction' },
 * );
 */
@Injectable()
export class ClickHouse implements OnModuleInit, OnApplicationShutdown {
  /** Whether this process has a ClickHouse at all. */
  readonly isConfigured: boolean;
  readonly isEmbedded: boolean;
  /** The database of every statement; empty without a ClickHouse. */
  readonly database: string;
  /** A database without tables, where a name that a statement does not qualify means nothing. */
  readonly emptyDatabase: string;
  readonly availability: ClickHouseAvailability;
  private readonly connection: Connection | undefined;
  private readonly logger = new Logger('ClickHouse');

  /** @param url see `parseClickHouseUrl()`; undefined if there is no ClickHouse */
  constructor(url: string | undefined) {
    const address = url === undefined ? undefined : parseClickHouseUrl(url);
    this.isConfigured = address !== undefined;
    this.isEmbedded = address?.socketPath !== undefined;
    this.database = address?.database ?? '';
    this.emptyDatabase = `${this.database}_empty`;
    const connection = address && {
      client: createClickHouseClient(address),
      isolated: createClickHouseClient({ ...address, database: this.emptyDatabase }),
      database: new PreparedDatabase(address),
    };
    this.connection = connection;
    this.availability = new ClickHouseAvailability(connection && (() => probe(connection)));
  }

  onModuleInit(): void {
    this.availability.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const stopped = this.availability.stop();
    await Promise.all([this.connection?.client.close(), this.connection?.isolated.close()]);
    await stopped;
  }

  /**
   * @param sql one SELECT with placeholders such as `{category:String}`, and without a FORMAT clause
   * @returns rows as objects. 64-bit integers, and so every `count()`, are strings, because a number of JavaScript is exact up
   *   to 2^53 only.
   */
  query<Row>(sql: string, parameters: Parameters = {}, options: StatementOptions = {}): Promise<Row[]> {
    const { settings, ...rest } = options;
    // The embedded ClickHouse analyses such a statement in a thread of its own, however many conditions it has.
    const whole = { ...settings, wait_end_of_query: 1 };
    return this.run(sql, { ...rest, settings: whole }, async ({ client }, request) => {
      const result = await client.query({
        ...request,
        query: sql,
        query_params: parameters,
        format: 'JSONEachRow',
      });
      return result.json<Row>();
    });
  }

  /**
   * Streams an answer of any size, as bytes. The deadline is that of the first byte. A later error destroys the stream, and
   * destroying the stream cancels the statement.
   * @param sql as for `query()`
   */
  stream(sql: string, parameters: Parameters = {}, options: StreamOptions = {}): Promise<Readable> {
    const { format = 'JSONEachRow', settings, ...rest } = options;
    const unlimited = { max_execution_time: 0, ...settings };
    return this.run(sql, { ...rest, settings: unlimited }, async ({ client }, request) => {
      const query = `${sql}\nFORMAT ${format}`;
      const { stream } = await client.exec({ ...request, query, query_params: parameters });
      return stream;
    });
  }

  /**
   * Runs one SELECT or EXPLAIN in the empty database, and returns its answer as ClickHouse writes it.
   * @param sql without a FORMAT clause
   */
  readIsolated(sql: string, parameters: Parameters, options: IsolatedOptions): Promise<string> {
    const { format, maxBytes, settings, ...rest } = options;
    const whole = { ...settings, default_format: format, wait_end_of_query: 1 };
    return this.run(sql, { ...rest, settings: whole }, async ({ isolated }, request) => {
      const { stream } = await isolated.exec({ ...request, query: sql, query_params: parameters });
      const parts: Buffer[] = [];
      let size = 0;
      for await (const part of stream as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > maxBytes) throw answerTooLarge(maxBytes);
        parts.push(part);
      }
      return Buffer.concat(parts).toString();
    });
  }

  /**
   * Inserts rows, whole or not at all.
   * @param table its name, and those of the columns, must need no quotes
   * @param rows JSON objects, one a line
   */
  insert(table: string, rows: Buffer | string, options: InsertOptions = {}): Promise<void> {
    const { token, columns, settings, ...rest } = options;
    const list = columns === undefined ? '' : ` (${columns.join(', ')})`;
    const query = `INSERT INTO ${table}${list} FORMAT JSONEachRow`;
    const deduplicated = token === undefined ? settings : { ...settings, insert_deduplication_token: token };
    return this.run(query, { ...rest, settings: deduplicated }, async ({ client }, request) => {
      const values = Readable.from([rows], { objectMode: false });
      const { stream } = await client.exec({ ...request, query, values });
      await drained(stream);
    });
  }

  /** Runs a statement that returns nothing. */
  command(sql: string, parameters: Parameters = {}, options: StatementOptions = {}): Promise<void> {
    return this.run(sql, options, async ({ client }, request) => {
      await client.command({ ...request, query: sql, query_params: parameters });
    });
  }

  private async run<Result>(
    sql: string,
    options: StatementOptions,
    work: (connection: Connection, request: Request) => Promise<Result>,
  ): Promise<Result> {
    const label = options.name ?? /[A-Za-z]+/.exec(sql)?.[0].toUpperCase() ?? '';
    const name = `ClickHouse ${label}`;
    const startedAt = performance.now();
    let outcome: StatementOutcome = 'failed';
    try {
      const result = await traced(name, SPAN_OPTIONS, () => this.attempt(options, work));
      outcome = 'ok';
      return result;
    } catch (error) {
      if (isConnectionLost(error)) this.logLost(label);
      if (error instanceof ClickHouseUnavailableError) outcome = 'unavailable';
      throw error;
    } finally {
      metrics.statementDone(name, outcome, performance.now() - startedAt);
    }
  }

  /** Of several statements that run when ClickHouse ends, one may be the cause. It is not repeated. */
  private logLost(label: string): void {
    const keyId = currentQuestion()?.keyId;
    const asker = keyId === undefined ? 'no key' : `the key ${keyId}`;
    this.logger.warn(
      `The connection was lost while ClickHouse worked on the statement "${label}" for ${asker}.`,
    );
  }

  private async attempt<Result>(
    { timeoutMs = environment.QUERY_TIMEOUT, signal, settings }: StatementOptions,
    work: (connection: Connection, request: Request) => Promise<Result>,
  ): Promise<Result> {
    const { availability, connection } = this;
    availability.require();
    if (!connection) throw new ClickHouseUnavailableError(HOW_TO_HAVE_CLICKHOUSE);
    // A frozen ClickHouse is noticed before it makes others wait.
    void availability.checkIfOld();
    const cancelled = new AbortController();
    const cancel = (): void => cancelled.abort();
    let isLate = false;
    const ended = new AbortController();
    void this.untilLate(timeoutMs, ended.signal).then(
      () => {
        isLate = true;
        cancel();
      },
      () => undefined, // It has ended before.
    );
    signal?.addEventListener('abort', cancel);
    try {
      signal?.throwIfAborted();
      await connection.database.ready();
      return await work(connection, {
        abort_signal: cancelled.signal,
        clickhouse_settings: { max_execution_time: timeoutMs / 1000, ...settings },
      });
    } catch (error) {
      if (isLate) {
        void availability.check();
        throw new ClickHouseUnavailableError('ClickHouse did not answer in time.', { cause: error });
      }
      if (signal?.aborted)
        throw new ClickHouseUnavailableError('The question was cancelled.', { cause: error });
      if (clickHouseCode(error) === UNKNOWN_DATABASE) connection.database.forget();
      throw fromClickHouseError(error);
    } finally {
      ended.abort();
      signal?.removeEventListener('abort', cancel);
    }
  }

  /**
   * Resolves when the answer to a statement is not worth waiting for any more. The embedded ClickHouse bounds the time itself,
   * from when a statement begins: before, it may wait for others, and for their memory.
   * @throws Error when the statement has ended
   */
  private async untilLate(timeoutMs: number, ended: AbortSignal): Promise<void> {
    if (!this.isEmbedded) return sleep(timeoutMs + GRACE_MS, undefined, { signal: ended });
    const latest = performance.now() + timeoutMs + EMBEDDED_GRACE_MS;
    await sleep(timeoutMs, undefined, { signal: ended });
    for (;;) {
      await this.availability.check();
      if (!this.availability.isAvailable || performance.now() > latest) return;
      await sleep(LATE_CHECK_INTERVAL_MS, undefined, { signal: ended });
    }
  }
}

async function probe({ client, database }: Connection): Promise<void> {
  const ping = await client.ping({ select: false, abort_signal: AbortSignal.timeout(PING_TIMEOUT_MS) });
  if (!ping.success) throw ping.error;
  await database.ready();
}

async function drained(stream: Readable): Promise<void> {
  for await (const chunk of stream) void chunk;
}
