import { setTimeout as sleep } from 'node:timers/promises';
import { discard } from './memory.js';
import { type Chdb, type ChdbSession, loadChdb } from './chdb.js';
import { quote } from './sql-text.js';
import { preludeOf, type Statement } from './statement.js';

/** Formats whose rows follow each other without a header or an end, so that parts of an answer make up the whole. */
const STREAMABLE = /^(?:JSON(?:Compact|Strings|CompactStrings)?EachRow|TabSeparated|TSV|CSV|RowBinary)$/;

/** Bytes of an answer in another format, which is held in memory. */
const MAX_WHOLE_ANSWER_BYTES = 64 * 1024 * 1024;

/** A statement that has just come may not be listed yet. */
const KILL_INTERVAL_MS = 100;

/**
 * Milliseconds, and milliseconds of CPU time of this process, after which a statement that was cancelled cannot be: ClickHouse looks
 * between two blocks, not in one large value. One that gets no core, on a busy host, has not looked yet.
 */
const STUCK_TIMEOUT_MS = 8000;
const STUCK_CPU_MS = 4000;

/** Resident bytes from which freed memory is given back at once: ClickHouse's allocator keeps it for seconds. */
const PURGE_BYTES = 450 * 1024 * 1024;

/** What a statement returned. */
export interface StatementResult {
  readonly parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Undefined where chdb does not say so: in a stream. How much was read, it never says. */
  readonly resultRows?: number;
  readonly resultBytes?: number;
  readonly writtenRows: number;
  readonly writtenBytes: number;
}

const NOTHING: StatementResult = { parts: [], writtenRows: 0, writtenBytes: 0 };

/** ClickHouse in this process. Each statement has a session of its own, so that its settings are no other's. */
export class Engine {
  private readonly chdb: Chdb = loadChdb();
  /** Keeps the engine running between statements. */
  private readonly anchor: ChdbSession;

  /**
   * @param args options of clickhouse-local
   * @param onStuck called when a SELECT does not end although it was cancelled
   */
  constructor(
    private readonly folder: string,
    private readonly args: readonly string[],
    private readonly onStuck: () => void,
  ) {
    this.anchor = this.open();
  }

  /**
   * Runs a statement, and calls `answer` while its session is open.
   * @param threads that it may use
   * @param cancelled kills the statement
   */
  async run(
    statement: Statement,
    threads: number,
    cancelled: AbortSignal,
    answer: (result: StatementResult) => Promise<void>,
  ): Promise<void> {
    const session = this.open();
    const ended = new AbortController();
    const kill = (): void => void this.kill(statement, ended.signal);
    cancelled.addEventListener('abort', kill);
    try {
      for (const sql of preludeOf(statement, threads)) await session.queryAsync(sql, { format: 'Null' });
      await answer(await this.execute(session, statement));
    } finally {
      cancelled.removeEventListener('abort', kill);
      ended.abort();
      session.close();
      if (process.memoryUsage.rss() > PURGE_BYTES) await this.purge();
    }
  }

  /** Gives freed memory back to the system, which counts as used until then. */
  async purge(): Promise<void> {
    await this.anchor.queryAsync('SYSTEM JEMALLOC PURGE', { format: 'Null' }).catch(() => undefined);
  }

  /** Waits for the statements in progress, and writes what is left to the disk. */
  async close(): Promise<void> {
    this.anchor.close();
    await this.chdb.drainPending();
  }

  private open(): ChdbSession {
    return new this.chdb.Session(this.folder, { connectionArgs: this.args });
  }

  private async execute(session: ChdbSession, statement: Statement): Promise<StatementResult> {
    const { sql, isRead, format, isWhole, insert } = statement;
    if (insert) {
      if (insert.values.length === 0) return NOTHING;
      const { rowsWritten, bytesWritten } = await session.insert(insert);
      discard(insert.values.length);
      return { ...NOTHING, writtenRows: rowsWritten, writtenBytes: bytesWritten };
    }
    // chdb analyses a statement that it streams on this thread, and nobody else gets an answer meanwhile.
    if (isRead && !isWhole && STREAMABLE.test(format))
      return { ...NOTHING, parts: partsOf(session.queryStream(sql, { format })) };
    const result = await session.queryAsync(sql, { format });
    const bytes = result.bytes();
    if (bytes.length > MAX_WHOLE_ANSWER_BYTES)
      throw new Error(
        `Code: 396. DB::Exception: The answer is larger than ${MAX_WHOLE_ANSWER_BYTES} bytes. (TOO_MANY_ROWS_OR_BYTES)`,
      );
    // chdb counts the rows and bytes of the answer, whatever it calls them.
    return { ...NOTHING, parts: [bytes], resultRows: result.rowsRead, resultBytes: result.bytesRead };
  }

  /** Cancels a statement, and tries again until it has ended. KILL QUERY with SYNC would never return in chdb. */
  private async kill({ mark, isRead }: Statement, ended: AbortSignal): Promise<void> {
    const sql = `KILL QUERY WHERE Settings['log_comment'] = ${quote(mark)} ASYNC`;
    const stuckAt = performance.now() + STUCK_TIMEOUT_MS;
    const usedBefore = process.cpuUsage();
    const usedMs = (): number => {
      const { user, system } = process.cpuUsage(usedBefore);
      return (user + system) / 1000;
    };
    while (!ended.aborted) {
      if (isRead && performance.now() > stuckAt && usedMs() > STUCK_CPU_MS) this.onStuck();
      await this.runAlone(sql).catch(() => undefined);
      await sleep(KILL_INTERVAL_MS);
    }
  }

  private async runAlone(sql: string): Promise<void> {
    const session = this.open();
    await session.queryAsync(sql, { format: 'Null' }).finally(() => session.close());
  }
}

async function* partsOf(stream: AsyncIterable<{ raw(): Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const part of stream) {
    const bytes = part.raw();
    yield bytes;
    discard(bytes.length);
  }
}
