import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import pLimit, { type LimitFunction } from 'p-limit';
import { QUESTIONS_AT_ONCE } from './chdb.js';
import type { Engine, Outcome } from './engine.js';
import { readStatement, type Statement, StatementError } from './statement.js';
import { codeOf, statusOf } from './statuses.js';

/** Writes that run at once; more wait in order, and not for reads, of which QUESTIONS_AT_ONCE run. */
const MAX_RUNNING_WRITES = 4;
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
  private readonly reads = pLimit(QUESTIONS_AT_ONCE);
  private readonly writes = pLimit(MAX_RUNNING_WRITES);
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
    await this.queue(statement.isRead ? this.reads : this.writes, async () => {
      if (cancelled.signal.aborted) return;
      const answer = (outcome: Outcome): Promise<void> => send(response, statement, outcome, isGzip);
      await this.engine.run(statement, cancelled.signal, answer);
    });
  }

  private queue(limit: LimitFunction, run: () => Promise<void>): Promise<void> {
    if (limit.pendingCount >= MAX_WAITING)
      throw new StatementError(
        202,
        'TOO_MANY_SIMULTANEOUS_QUERIES',
        `Too many simultaneous queries: ${MAX_WAITING} wait`,
      );
    return limit(run);
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
  outcome: Outcome,
  isGzip: boolean,
): Promise<void> {
  response.setHeader('X-ClickHouse-Format', format);
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summaryOf(outcome)));
  // ClickHouse reports an error before the first rows by the status. An empty iteration never waits.
  const [first, rest] = await firstOf(outcome.parts);
  if (isGzip) response.setHeader('Content-Encoding', 'gzip');
  const body = Readable.from(joined(first, rest), { objectMode: false });
  await (isGzip ? pipeline(body, createGzip(), response) : pipeline(body, response));
}

type Parts = AsyncIterator<Uint8Array> | Iterator<Uint8Array>;

async function firstOf(parts: Outcome['parts']): Promise<[first: Uint8Array | undefined, rest: Parts]> {
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
}: Outcome): Record<string, string> => ({
  written_rows: String(writtenRows),
  written_bytes: String(writtenBytes),
  ...(resultRows !== undefined && { result_rows: String(resultRows) }),
  ...(resultBytes !== undefined && { result_bytes: String(resultBytes) }),
});

/** @throws StatementError for a body that is too large or has another coding than gzip */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const coding = request.headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity' && coding !== 'gzip')
    throw new StatementError(48, 'NOT_IMPLEMENTED', `The Content-Encoding ${coding} is not supported`);
  if (/^multipart\//i.test(request.headers['content-type'] ?? ''))
    throw new StatementError(48, 'NOT_IMPLEMENTED', 'A multipart body is not supported');
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of coding === 'gzip' ? request.pipe(createGunzip()) : request) {
    parts.push(part as Buffer);
    size += (part as Buffer).length;
    if (size > MAX_BODY_BYTES)
      throw new StatementError(307, 'TOO_MANY_BYTES', `The body is larger than ${MAX_BODY_BYTES} bytes`);
  }
  return Buffer.concat(parts);
}
