import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip, createGzip, type Gunzip } from 'node:zlib';
import { QUESTIONS_AT_ONCE } from './chdb.js';
import type { Engine, StatementResult } from './engine.js';
import { Lane } from './lane.js';
import { readStatement, type Statement, StatementError } from './statement.js';
import { codeOf, isMemoryLimit, isServerMemoryLimit, statusOf } from './statuses.js';

/** Inserts, and other writes, that run at once; more wait in order, and not for reads, of which QUESTIONS_AT_ONCE run. */
const MAX_RUNNING_WRITES = 4;

/** Threads of a read while no other waits. Each takes memory of its own. */
const READ_THREADS = Math.min(2, availableParallelism());

/** Milliseconds before a statement that lacked memory even alone is tried again: merges in the background take some too. */
const MEMORY_RETRY_MS = 100;

/** Milliseconds after which such a statement is no longer begun alone. */
const MEMORY_TIMEOUT_MS = 15_000;

/** Milliseconds that ClickHouse has to end a statement by its own limit of time. */
const TIMEOUT_GRACE_MS = 2000;
/** Statements of each kind that wait; more are refused. */
const MAX_WAITING = 256;

/** Bytes of a body. A batch of replication has a few megabytes. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Bytes of the header section, which holds the parameters: as many as ClickHouse takes (http_max_uri_size). */
const MAX_HEADER_BYTES = 1024 * 1024;

const KEEP_ALIVE_TIMEOUT_MS = 60_000;

/** ClickHouse's code of an engine that has stopped (ABORTED). */
const ABORTED = 236;

/** The part of ClickHouse's HTTP interface that The Eye needs, for the official client. */
export class HttpInterface {
  private readonly reads = new Lane(QUESTIONS_AT_ONCE);
  private readonly inserts = new Lane(MAX_RUNNING_WRITES);
  /** Apart from inserts, because a removal may wait for the background. */
  private readonly otherWrites = new Lane(MAX_RUNNING_WRITES);
  private readonly server: Server;
  private readonly running = new Set<Promise<void>>();

  /** @param onEngineLost called when the engine has stopped by itself */
  constructor(
    private readonly engine: Engine,
    private readonly onEngineLost: (message: string) => void,
  ) {
    const options = { maxHeaderSize: MAX_HEADER_BYTES, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS };
    this.server = createServer(options, (request, response) => {
      const responding = this.respond(request, response).catch((error: unknown) => {
        this.fail(response, error);
      });
      this.running.add(responding);
      void responding.finally(() => this.running.delete(responding));
    });
  }

  listen(socket: string): Promise<void> {
    return new Promise((resolve, reject) => this.server.once('error', reject).listen(socket, resolve));
  }

  /** Drops the connections, and with them the statements in progress. Resolves when none runs. */
  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await Promise.all(this.running);
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/ping') return void response.end('Ok.\n');
    if (pathname !== '/') return void response.writeHead(404).end(`There is no handle ${pathname}\n`);
    const cancelled = new AbortController();
    response.once('close', () => cancelled.abort());
    const body = await readBody(request);
    if (request.method === 'GET' && !searchParams.has('query')) return void response.end('Ok.\n');
    response.setHeader('X-ClickHouse-Query-Id', searchParams.get('query_id') ?? randomUUID());
    const statement = readStatement({
      parameters: searchParams,
      body,
      isReadOnly: request.method !== 'POST',
      mark: randomUUID(),
    });
    const isGzip =
      searchParams.get('enable_http_compression') === '1' &&
      /\bgzip\b/.test(String(request.headers['accept-encoding']));
    const answer = (result: StatementResult): Promise<void> => send(response, statement, result, isGzip);
    const seconds = Number(searchParams.get('max_execution_time') ?? 0);
    const run = async (threads: number): Promise<void> => {
      if (cancelled.signal.aborted) return;
      const runUntil = (end: AbortSignal): Promise<void> => this.engine.run(statement, threads, end, answer);
      if (statement.isRead && seconds > 0) await this.runInTime(seconds, cancelled.signal, runUntil);
      else await runUntil(cancelled.signal);
    };
    const lane = this.laneOf(statement);
    if (lane.waiting >= MAX_WAITING)
      throw new StatementError(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many simultaneous queries: ${MAX_WAITING} wait`,
      );
    if (!statement.isRead) return lane.run(() => run(statement.maxThreads ?? 1));
    const mayRun = (): boolean => !cancelled.signal.aborted && !response.headersSent && !response.destroyed;
    await this.read(run, mayRun, statement.maxThreads);
  }

  /**
   * Runs a read, and again with one thread, then alone, if it fails for want of memory.
   * @param mayRun whether somebody waits for the answer, and nothing of it is sent yet
   */
  private async read(
    run: (threads: number) => Promise<void>,
    mayRun: () => boolean,
    maxThreads = READ_THREADS,
  ): Promise<void> {
    let threads = 1;
    try {
      await this.reads.run(() => {
        threads = this.reads.waiting > 0 ? 1 : maxThreads;
        return run(threads);
      });
    } catch (error) {
      if (!isMemoryLimit(error) || !mayRun()) throw error;
      if (threads > 1) return this.read(run, mayRun, 1);
      if (!isServerMemoryLimit(error)) throw error;
      await this.runAlone(() => run(1), mayRun, error);
    }
  }

  /**
   * Ends a statement that its own limit of time has not ended: ClickHouse does not look at it while it analyses a statement. The
   * time counts from here, because the statement may have waited for others.
   */
  private async runInTime(
    seconds: number,
    cancelled: AbortSignal,
    run: (end: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const late = AbortSignal.timeout(seconds * 1000 + TIMEOUT_GRACE_MS);
    try {
      await run(AbortSignal.any([cancelled, late]));
    } catch (error) {
      if (!late.aborted) throw error;
      throw new StatementError(159, 'TIMEOUT_EXCEEDED', `Timeout exceeded: maximum: ${seconds} seconds`);
    }
  }

  private laneOf({ isRead, insert }: Statement): Lane {
    if (isRead) return this.reads;
    return insert ? this.inserts : this.otherWrites;
  }

  /**
   * Runs a read again that failed because all statements together needed too much memory: beside no other read, and no insert.
   * Every process of The Eye asks here, so this is the one place that knows what runs.
   * @param mayRun whether somebody waits for the answer, and nothing of it is sent yet
   * @throws its last error
   */
  private async runAlone(
    run: () => Promise<void>,
    mayRun: () => boolean,
    firstError: unknown,
  ): Promise<void> {
    const latestStart = performance.now() + MEMORY_TIMEOUT_MS;
    const mayBegin = (): boolean => performance.now() < latestStart && mayRun();
    for (let error = firstError; ; await sleep(MEMORY_RETRY_MS)) {
      const failure = error;
      try {
        return await this.reads.runAlone(() =>
          this.inserts.runAlone(async () => {
            if (!mayBegin()) throw failure;
            await this.engine.purge();
            await run();
          }),
        );
      } catch (again) {
        if (!mayBegin() || !isServerMemoryLimit(again)) throw again;
        error = again;
      }
    }
  }

  private fail(response: ServerResponse, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    const code = codeOf(message);
    // The client takes a response without an end for an error.
    if (response.headersSent) response.destroy();
    else
      response
        .writeHead(statusOf(code), {
          'Content-Type': 'text/plain; charset=UTF-8',
          'X-ClickHouse-Exception-Code': code,
        })
        .end(`${message}\n`);
    if (code === ABORTED) this.onEngineLost(message);
  }
}

async function send(
  response: ServerResponse,
  { format }: Statement,
  result: StatementResult,
  isGzip: boolean,
): Promise<void> {
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summaryOf(result)));
  // ClickHouse reports an error before the first rows by the status. An empty iteration never waits.
  const [first, rest] = await firstOf(result.parts);
  if (isGzip) response.setHeader('Content-Encoding', 'gzip');
  const body = Readable.from(joined(first, rest), { objectMode: false });
  await (isGzip ? pipeline(body, createGzip(), response) : pipeline(body, response));
}

type Parts = AsyncIterator<Uint8Array> | Iterator<Uint8Array>;

async function firstOf(
  parts: StatementResult['parts'],
): Promise<[first: Uint8Array | undefined, rest: Parts]> {
  const iterator = Symbol.asyncIterator in parts ? parts[Symbol.asyncIterator]() : parts[Symbol.iterator]();
  const result: IteratorResult<Uint8Array, unknown> = await iterator.next();
  return [result.done === true ? undefined : result.value, iterator];
}

async function* joined(first: Uint8Array | undefined, rest: Parts): AsyncGenerator<Uint8Array> {
  if (first === undefined) return;
  yield first;
  yield* { [Symbol.asyncIterator]: () => rest as AsyncIterator<Uint8Array> };
}

/** What is known of it. ClickHouse writes these numbers as strings. */
const summaryOf = ({
  writtenRows,
  writtenBytes,
  resultRows,
  resultBytes,
}: StatementResult): Record<string, string> => ({
  written_rows: String(writtenRows),
  written_bytes: String(writtenBytes),
  ...(resultRows !== undefined && { result_rows: String(resultRows) }),
  ...(resultBytes !== undefined && { result_bytes: String(resultBytes) }),
});

/** Fails if the request does, which a pipe alone would not. */
function inflated(request: IncomingMessage): Gunzip {
  const gunzip = createGunzip();
  request.once('error', (error) => gunzip.destroy(error));
  return request.pipe(gunzip);
}

/** @throws StatementError for a body that is too large or has another coding than gzip */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity' && coding !== 'gzip')
    throw new StatementError(48, 'NOT_IMPLEMENTED', `The Content-Encoding ${coding} is not supported`);
  if (/^multipart\//i.test(request.headers['content-type'] ?? ''))
    throw new StatementError(48, 'NOT_IMPLEMENTED', 'A multipart body is not supported');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of coding === 'gzip' ? inflated(request) : request) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size > MAX_BODY_BYTES)
      throw new StatementError(307, 'TOO_MANY_BYTES', `The body is larger than ${MAX_BODY_BYTES} bytes`);
  }
  return Buffer.concat(parts);
}
