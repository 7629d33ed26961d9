import type { ClickHouseClient } from '@clickhouse/client';
import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeriodicTask } from '../async/periodic-task.js';
import { environment } from '../config/environment.js';
import { currentQuestion } from '../questions/question.js';
import { metrics, registry, type StatementOutcome } from '../telemetry/metrics.js';
import { type SpanOptions, traced } from '../telemetry/tracing.js';
import { createClickHouseClient } from './clickhouse-client.js';
import {
  answerTooLarge,
  clickHouseCode,
  ClickHouseUnavailableError,
  HOW_TO_HAVE_CLICKHOUSE,
  isConnectionLost,
  fromClickHouseError,
} from './clickhouse-errors.js';
import { type ClickHouseAddress, parseClickHouseUrl } from '../config/clickhouse-url.js';

const SPAN_OPTIONS: SpanOptions = { kind: 'client', attributes: { 'db.system.name': 'clickhouse' } };

/** Milliseconds that ClickHouse has to report its own time limit before the connection is dropped. */
const GRACE_MS = 2000;

/** The same for the embedded one while it responds: longer than its statements wait for each other. */
const EMBEDDED_GRACE_MS = 25_000;

/** How old a check may be when somebody asks whether ClickHouse is available, or runs a statement. */
const MAX_CHECK_AGE_MS = 2000;
/** While nobody does, an outage is only logged. */
const IDLE_CHECK_INTERVAL_MS = 10_000;
const OUTAGE_CHECK_INTERVAL_MS = 250;
const CHECK_TIMEOUT_MS = 3000;

/** Milliseconds after the start of this process in which an embedded ClickHouse may still be starting. */
const STARTUP_GRACE_MS = 30_000;

/** The first version in which projections have settings of their own. */
const MIN_VERSION = [26, 1] as const;

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
  private readonly address: ClickHouseAddress | undefined;
  private readonly client: ClickHouseClient | undefined;
  /** Works in the empty database. */
  private readonly isolated: ClickHouseClient | undefined;
  private readonly logger = new Logger('ClickHouse');
  private readonly startedAt = Date.now();
  private whenPrepared: Promise<void> | undefined;
  private hasWorked = false;
  /** Why it was unavailable at the last check; undefined while it is available. */
  private outage: ClickHouseUnavailableError | undefined;
  private loggedProblem: string | undefined;
  private readonly watch = new PeriodicTask({
    name: 'check ClickHouse',
    intervalMs: IDLE_CHECK_INTERVAL_MS,
    run: () => this.check(),
  });
  private checking: Promise<void> | undefined;
  /** When the last check ended, in milliseconds of performance.now(). */
  private checkedAt = -Infinity;

  /** @param url see `parseClickHouseUrl()`; undefined if there is no ClickHouse */
  constructor(url: string | undefined) {
    this.isConfigured = url !== undefined;
    this.address = url === undefined ? undefined : parseClickHouseUrl(url);
    this.isEmbedded = this.address?.socketPath !== undefined;
    this.database = this.address?.database ?? '';
    this.emptyDatabase = `${this.database}_empty`;
    this.client = this.address && createClickHouseClient(this.address);
    this.isolated = this.address && createClickHouseClient({ ...this.address, database: this.emptyDatabase });
    if (!this.client) this.outage = new ClickHouseUnavailableError(HOW_TO_HAVE_CLICKHOUSE);
    const isAvailable = async (): Promise<boolean> => (await this.currentProblem()) === undefined;
    new Gauge({
      name: 'the_eye_clickhouse_up',
      help: 'Whether ClickHouse, which answers questions, is available: 1 or 0.',
      registers: [registry],
      async collect() {
        this.set((await isAvailable()) ? 1 : 0);
      },
    });
  }

  onModuleInit(): void {
    if (this.client) this.watch.start();
  }

  async onApplicationShutdown(): Promise<void> {
    const stopped = this.watch.stop();
    await Promise.all([this.client?.close(), this.isolated?.close()]);
    await stopped;
  }

  /**
   * Why ClickHouse is unavailable, without secrets and addresses; undefined if it is available. Checks that, unless it was
   * checked in the last MAX_CHECK_AGE_MS.
   */
  async currentProblem(): Promise<string | undefined> {
    await this.checkIfOld();
    return this.outage?.message;
  }

  /** @throws ClickHouseUnavailableError if it was unavailable at the last check, or if there is none */
  requireAvailable(): ClickHouseClient {
    const { client, outage } = this;
    if (!client || outage) throw outage ?? new ClickHouseUnavailableError(HOW_TO_HAVE_CLICKHOUSE);
    return client;
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
    return this.run(sql, { ...rest, settings: whole }, async (client, request) => {
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
    return this.run(sql, { ...rest, settings: unlimited }, async (client, request) => {
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
    return this.run(sql, { ...rest, settings: whole }, async (_, request) => {
      const { isolated } = this;
      if (!isolated) throw new ClickHouseUnavailableError(HOW_TO_HAVE_CLICKHOUSE);
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
    return this.run(query, { ...rest, settings: deduplicated }, async (client, request) => {
      const values = Readable.from([rows], { objectMode: false });
      const { stream } = await client.exec({ ...request, query, values });
      await drained(stream);
    });
  }

  /** Runs a statement that returns nothing. */
  command(sql: string, parameters: Parameters = {}, options: StatementOptions = {}): Promise<void> {
    return this.run(sql, options, async (client, request) => {
      await client.command({ ...request, query: sql, query_params: parameters });
    });
  }

  private async run<Result>(
    sql: string,
    options: StatementOptions,
    work: (client: ClickHouseClient, request: Request) => Promise<Result>,
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
    work: (client: ClickHouseClient, request: Request) => Promise<Result>,
  ): Promise<Result> {
    const client = this.requireAvailable();
    // A frozen ClickHouse is noticed before it makes others wait.
    void this.checkIfOld();
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
      await this.prepared();
      return await work(client, {
        abort_signal: cancelled.signal,
        clickhouse_settings: { max_execution_time: timeoutMs / 1000, ...settings },
      });
    } catch (error) {
      if (isLate) {
        void this.check();
        throw new ClickHouseUnavailableError('ClickHouse did not answer in time.', { cause: error });
      }
      if (signal?.aborted)
        throw new ClickHouseUnavailableError('The question was cancelled.', { cause: error });
      if (clickHouseCode(error) === UNKNOWN_DATABASE) this.whenPrepared = undefined;
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
      await this.check();
      if (this.outage || performance.now() > latest) return;
      await sleep(MAX_CHECK_AGE_MS, undefined, { signal: ended });
    }
  }

  /** Resolves once the database exists. Asks only once, unless that fails. */
  private prepared(): Promise<void> {
    return (this.whenPrepared ??= this.prepare().catch((error: unknown) => {
      this.whenPrepared = undefined;
      throw error;
    }));
  }

  private async prepare(): Promise<void> {
    const { address } = this;
    if (!address) return;
    // ClickHouse refuses every statement in a database that is missing.
    const client = createClickHouseClient({ ...address, database: '' });
    const abort_signal = AbortSignal.timeout(environment.QUERY_TIMEOUT);
    try {
      const result = await client.query({
        query:
          'SELECT version() AS version, name FROM system.databases WHERE name = {name:String} UNION ALL SELECT version(), NULL',
        query_params: { name: this.database },
        format: 'JSONEachRow',
        abort_signal,
      });
      const rows = await result.json<{ version: string; name: string | null }>();
      requireVersion(rows[0]?.version ?? '');
      if (!rows.some(({ name }) => name === this.database))
        await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${this.database}`, abort_signal });
    } finally {
      await client.close();
    }
  }

  private checkIfOld(): Promise<void> {
    return performance.now() - this.checkedAt > MAX_CHECK_AGE_MS ? this.check() : Promise.resolve();
  }

  /** Finds out whether ClickHouse is available. Never rejects. */
  private check(): Promise<void> {
    return (this.checking ??= this.findAndLogOutage().finally(() => (this.checking = undefined)));
  }

  private async findAndLogOutage(): Promise<void> {
    const { client } = this;
    if (!client) return;
    this.outage = await this.findOutage(client);
    this.checkedAt = performance.now();
    if (this.outage) this.watch.wake(OUTAGE_CHECK_INTERVAL_MS);
    this.hasWorked ||= this.outage === undefined;
    this.logChange();
  }

  private logChange(): void {
    const problem = this.outage?.message;
    const isStarting = !this.hasWorked && Date.now() - this.startedAt < STARTUP_GRACE_MS;
    if (problem === this.loggedProblem || isStarting) return;
    if (problem !== undefined)
      this.logger.warn(
        `${problem} Events are stored all the same; questions get 503 until that has changed.`,
      );
    else this.logger.log('ClickHouse is available again.');
    this.loggedProblem = problem;
  }

  private async findOutage(client: ClickHouseClient): Promise<ClickHouseUnavailableError | undefined> {
    try {
      const ping = await client.ping({
        select: false,
        abort_signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
      });
      if (!ping.success) throw ping.error;
      await this.prepared();
      return undefined;
    } catch (error) {
      const known = fromClickHouseError(error);
      if (known instanceof ClickHouseUnavailableError) return known;
      return new ClickHouseUnavailableError(`ClickHouse cannot be used: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }
}

/** @throws ClickHouseUnavailableError */
function requireVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return;
  throw new ClickHouseUnavailableError(
    `ClickHouse has the version ${version}, and The Eye needs ${MIN_VERSION.join('.')} or later.`,
  );
}

async function drained(stream: Readable): Promise<void> {
  for await (const chunk of stream) void chunk;
}
