import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** What The Eye uses of chdb. Its own types are missing where the package is left out, and The Eye must build there too. */
export interface ChdbSession {
  queryAsync(sql: string, options: { format: string }): Promise<ChdbResult>;
  queryStream(sql: string, options: { format: string }): ChdbStream;
  insert(options: ChdbInsert): Promise<{ rowsWritten: number; bytesWritten: number }>;
  close(): void;
}

export interface ChdbResult {
  readonly rowsRead: number;
  readonly bytesRead: number;
  bytes(): Uint8Array;
}

export interface ChdbStream extends AsyncIterable<{ raw(): Uint8Array }> {
  cancel(): void;
}

export interface ChdbInsert {
  readonly table: string;
  readonly columns?: readonly string[];
  readonly values: Buffer;
  readonly format: string;
}

export interface Chdb {
  readonly Session: new (
    path: string,
    options: { readonly connectionArgs: readonly string[] },
  ) => ChdbSession;
  /** Resolves when no call is left in the engine. */
  drainPending(): Promise<void>;
}

/** Questions that the embedded ClickHouse works on at once. Its memory is enough for two. */
export const QUESTIONS_AT_ONCE = 2;

/** Package of the engine itself, by platform and architecture. */
const BINARIES: Readonly<Record<string, string>> = {
  'darwin-arm64': '@chdb/lib-darwin-arm64',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'linux-x64': '@chdb/lib-linux-x64-gnu',
};

/** Whether chdb, an optional dependency, is installed and has a binary for this machine. Does not load it. */
function isChdbInstalled(): boolean {
  const binary = BINARIES[`${process.platform}-${process.arch}`];
  if (binary === undefined || !isLibcSupported()) return false;
  try {
    const chdb = require.resolve('chdb');
    return existsSync(createRequire(chdb).resolve(binary));
  } catch {
    return false;
  }
}

/**
 * Whether The Eye brings its own ClickHouse. Beside an external PostgreSQL it does not: its processes may run on several hosts,
 * and the copy of the events is in one place.
 */
export const embedsClickHouse = (urls: { DATABASE_URL?: string; CLICKHOUSE_URL?: string }): boolean =>
  urls.DATABASE_URL === undefined && urls.CLICKHOUSE_URL === undefined && isChdbInstalled();

/** The binary for Linux needs glibc; some versions of npm install it beside musl too. */
function isLibcSupported(): boolean {
  if (process.platform !== 'linux') return true;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** Loads the engine, which takes 256 MB of address space and a quarter of a second. */
export const loadChdb = (): Chdb => require('chdb') as Chdb;
