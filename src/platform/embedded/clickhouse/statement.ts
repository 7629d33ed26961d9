import { quote, quoteName, tokensOf } from './sql-text.js';

/** An error as ClickHouse reports it, by one of its codes. */
export class StatementError extends Error {
  constructor(code: number, name: string, message: string) {
    super(`Code: ${code}. DB::Exception: ${message}. (${name})`);
  }
}

/** One statement of a request. */
export interface Statement {
  readonly sql: string;
  /** A SELECT, whose answer may be of any size. */
  readonly isRead: boolean;
  /** Empty for the default one. */
  readonly database: string;
  /** Settings and parameters, as assignments of SQL. */
  readonly settings: readonly string[];
  /** The setting `max_threads`, if it is a number. */
  readonly maxThreads: number | undefined;
  /** A text that no other statement has, by which it is found among those that run. */
  readonly mark: string;
  /** Format of the answer. */
  readonly format: string;
  /** Whether the answer is sent when it is complete (`wait_end_of_query`). */
  readonly isWhole: boolean;
  /** The rows of an INSERT that come as bytes, and where they go. */
  readonly insert?: Insert;
}

export interface Insert {
  readonly table: string;
  readonly columns?: readonly string[];
  readonly format: string;
  readonly values: Buffer;
}

export interface StatementRequest {
  readonly parameters: URLSearchParams;
  readonly body: Buffer;
  /** As for every GET request of ClickHouse. */
  readonly isReadOnly: boolean;
  readonly mark: string;
}

/** Parameters of a request that are not settings of ClickHouse, or mean nothing here. */
const NOT_SETTINGS = new Set([
  'buffer_size',
  'compress',
  'database',
  'decompress',
  'default_format',
  'enable_http_compression',
  'http_headers_progress_interval_ms',
  'http_wait_end_of_query',
  'http_zlib_compression_level',
  'log_comment', // Holds the mark.
  'password',
  'query',
  'query_id',
  'quota_key',
  'role',
  'send_progress_in_http_headers',
  'session_check',
  'session_id',
  'session_timeout',
  'user',
  'wait_end_of_query',
]);

const DEFAULT_FORMAT = 'TabSeparated';

const NAME = /^[a-z0-9_]+$/i;

/** An INSERT of The Eye, or of the client's `insert()`, whose rows are the body. */
const INSERT = /^\s*INSERT\s+INTO\s+(?:TABLE\s+)?([\w.]+)\s*(?:\(([\w\s,]+)\)\s*)?FORMAT\s+(\w+)\s*$/i;

/** Formats that chdb takes as bytes. */
const RAW_FORMATS = new Set(['JSONEachRow', 'JSONCompactEachRow', 'CSV', 'TabSeparated', 'TSV']);

/**
 * Reads a request as ClickHouse's HTTP interface does: the statement is the parameter `query`, followed by the body.
 * @throws StatementError
 */
export function readStatement(request: StatementRequest): Statement {
  const { parameters, body, mark } = request;
  const query = parameters.get('query') ?? '';
  const context = {
    database: parameters.get('database') ?? '',
    settings: settingsOf(request),
    maxThreads: threadsOf(parameters),
    mark,
  };
  const isWhole = parameters.get('wait_end_of_query') === '1';
  const insert = insertOf(query, body);
  if (insert) return { ...context, sql: query, isRead: false, format: DEFAULT_FORMAT, isWhole, insert };
  const text = body.toString();
  const sql = query === '' || text === '' ? query + text : `${query}\n${text}`;
  const words = wordsOf(sql);
  const isRead = ['SELECT', 'WITH'].includes(words.find((word) => word !== '(')?.toUpperCase() ?? '');
  return { ...context, sql, isRead, format: formatOf(words, parameters), isWhole };
}

function threadsOf(parameters: URLSearchParams): number | undefined {
  const value = parameters.get('max_threads') ?? '';
  return /^[1-9]\d*$/.test(value) ? Number(value) : undefined;
}

/** A setting whose name is not one cannot end the statement that sets it. */
function settingsOf({ parameters, isReadOnly, mark }: StatementRequest): string[] {
  const settings = [`log_comment = ${quote(mark)}`];
  if (isReadOnly && !parameters.has('readonly')) settings.push('readonly = 2');
  for (const [name, value] of parameters) {
    if (NOT_SETTINGS.has(name)) continue;
    if (!NAME.test(name)) throw new StatementError(115, 'UNKNOWN_SETTING', `Unknown setting ${quote(name)}`);
    settings.push(`${name} = ${quote(value)}`);
  }
  return settings;
}

/** The statements to run before one in the same session. @param threads how many it may use */
export function preludeOf({ database, settings }: Statement, threads: number): string[] {
  // The last value of a setting counts. By default, ClickHouse gives a statement one thread for each free gigabyte.
  const all = [...settings, `max_threads = ${threads}`, 'max_threads_min_free_memory_per_thread = 0'].join(
    ', ',
  );
  // The settings come last: `readonly` among them forbids everything else.
  return [...(database === '' ? [] : [`USE ${quoteName(database)}`]), `SET ${all}`];
}

function insertOf(query: string, values: Buffer): Insert | undefined {
  const [, table, columns, format] = INSERT.exec(query) ?? [];
  if (table === undefined || format === undefined || !RAW_FORMATS.has(format)) return undefined;
  return { table, columns: columns?.split(',').map((column) => column.trim()), format, values };
}

/**
 * The words of a statement.
 * @throws StatementError for none, for several statements and for one that writes a file, as ClickHouse's server does
 */
function wordsOf(sql: string): string[] {
  const words = tokensOf(sql);
  while (words.at(-1) === ';') words.pop();
  if (words.length === 0) throw new StatementError(62, 'SYNTAX_ERROR', 'Empty query');
  if (words.includes(';')) throw new StatementError(62, 'SYNTAX_ERROR', 'Multi-statements are not allowed');
  const isInto = (word: string, index: number): boolean =>
    /^INTO$/i.test(word) && /^OUTFILE$/i.test(words[index + 1] ?? '');
  if (words.some(isInto))
    throw new StatementError(344, 'INTO_OUTFILE_NOT_ALLOWED', 'INTO OUTFILE is not allowed');
  return words;
}

/** The format that the statement names at its end, or else the one of the request. */
function formatOf(words: readonly string[], parameters: URLSearchParams): string {
  const index = words.findLastIndex((word) => /^FORMAT$/i.test(word));
  const named = index === -1 || /^INSERT$/i.test(words[0] ?? '') ? undefined : words[index + 1];
  if (named !== undefined && NAME.test(named)) return named;
  const format = parameters.get('default_format') ?? DEFAULT_FORMAT;
  if (!NAME.test(format)) throw new StatementError(73, 'UNKNOWN_FORMAT', `Unknown format ${quote(format)}`);
  return format;
}
