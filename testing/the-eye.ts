import '../src/platform/json/json-parse.js';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { Redis } from 'ioredis';

/** Variables that say which servers a process uses. */
const SERVERS = new Set(['DATABASE_URL', 'REDIS_URL', 'CLICKHOUSE_URL']);

const MAIN = join(import.meta.dirname, '../dist/main.js');

export interface Event {
  id: string;
  session_id: string;
  category: string;
  name: string;
  data: Record<string, unknown>;
  timestamp: string;
}

export interface Page {
  count: number;
  count_is_estimate?: boolean;
  next: string | null;
  previous: string | null;
  results: Event[];
}

export interface EyeResponse<Body = any> {
  status: number;
  headers: Headers;
  body: Body;
  /** Milliseconds from the request to the end of the response. */
  took: number;
}

/** Variables of a process; one that is undefined is not set. */
export type Env = Record<string, string | undefined>;

export interface StartOptions {
  /** The account that runs the process, where it is not the one that runs the tests. */
  account?: { uid?: number; gid?: number };
  /** The built program, where it is not that of this project. */
  program?: string;
  /** Called by `close()` once the process has ended. */
  onClose?: () => Promise<void>;
}

/**
 * The Eye as its users run it: the built program in a process of its own, used over HTTP only, on a free port, with a
 * PostgreSQL and a Redis of its own in a temporary folder unless `env` names others.
 */
export class TheEye {
  url = '';
  databaseUrl = '';
  redisUrl = '';
  /** Empty where there is no ClickHouse. */
  clickhouseUrl = '';
  /** What the current process has printed. */
  output = '';
  process: ChildProcess;
  /** How the process ended each time that no test ended it, with the end of its output. */
  readonly deaths: string[] = [];
  /** The process that a test has ended. */
  private endedByTest: ChildProcess | undefined;

  private constructor(
    readonly dataDir: string,
    private env: Env,
    private readonly options: StartOptions,
  ) {}

  static async start(env: Env = {}, options: StartOptions = {}): Promise<TheEye> {
    const given = env['DATA_DIR'];
    const dataDir = given ?? (await mkdtemp(join(tmpdir(), 'eye-test-')));
    const eye = new TheEye(dataDir, env, options);
    try {
      await eye.start();
    } catch (error) {
      if (given === undefined) await remove(dataDir);
      throw error;
    }
    return eye;
  }

  /** Starts another process on the same PostgreSQL and Redis. To stop it, call `end()`. */
  startPeer(env: Env = {}): Promise<TheEye> {
    const servers = Object.entries(this.env).filter(([name]) => SERVERS.has(name));
    return TheEye.start({ ...Object.fromEntries(servers), DATA_DIR: this.dataDir, ...env });
  }

  /** Starts a process that must fail to start; resolves with its output and its exit code. */
  static async failToStart(env: Env): Promise<string> {
    const eye = await TheEye.start(env).catch((error: Error) => error);
    if (!(eye instanceof TheEye)) return eye.message;
    await eye.close();
    throw new Error(`The Eye started:\n${eye.output}`);
  }

  /** Starts the process; again after it was stopped or killed. Rejects with its output when it ends instead. */
  async start(): Promise<void> {
    this.output = '';
    this.process = spawn(process.execPath, [this.options.program ?? MAIN], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        PORT: '0',
        DATA_DIR: this.dataDir,
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...this.options.account,
    });
    const { process: started } = this;
    started.once('close', (code, signal) => {
      if (this.endedByTest !== started)
        this.deaths.push(`ended with ${code ?? signal}:\n${this.output.slice(-2000)}`);
    });
    const ended = once(started, 'exit').then(([code]) => {
      throw new Error(`The Eye ended with ${code}:\n${this.output}`);
    });
    ended.catch(() => undefined);
    const opened = new Promise<void>((resolve) => {
      const read = (chunk: Buffer): void => {
        this.output += chunk.toString();
        if (/The Eye is open\.[^]*\n\n/.test(this.output)) resolve();
      };
      this.process.stdout?.on('data', read);
      this.process.stderr?.on('data', read);
    });
    await Promise.race([opened, ended]);
    const message = this.output.slice(this.output.indexOf('The Eye is open.'));
    this.url = /https?:\/\/[^/\s]+:\d+/.exec(message)?.[0] ?? '';
    this.databaseUrl = /^ {2}PostgreSQL\s+(\S+)/m.exec(message)?.[1] ?? '';
    this.clickhouseUrl = /^ {2}ClickHouse\s+(\w+:\S+)/m.exec(message)?.[1] ?? '';
    this.redisUrl = /^ {2}Redis\s+(\S+)/m.exec(message)?.[1] ?? '';
  }

  /** Stops the process and starts it with other variables; undefined unsets a variable. */
  async restart(changes: Env): Promise<void> {
    await this.end();
    this.env = { ...this.env, ...changes };
    await this.start();
  }

  get runs(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Sends a signal and waits for the end of the process. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (!this.runs) return this.process.exitCode;
    const exit = once(this.process, 'exit') as Promise<[number | null]>;
    this.endedByTest = this.process;
    this.process.kill(signal);
    return (await exit)[0];
  }

  /** Stops the process and removes its data folder. */
  async close(): Promise<void> {
    await this.end();
    await this.options.onClose?.();
    await remove(this.dataDir);
  }

  /** @param path of this API, or a whole address such as `next` */
  async request(method: string, path: string, init: RequestInit = {}): Promise<EyeResponse> {
    const began = performance.now();
    const response = await fetch(new URL(path, this.url), { method, redirect: 'manual', ...init });
    const type = response.headers.get('content-type') ?? '';
    // A stream has no end to wait for.
    const isStream = type.startsWith('text/event-stream');
    if (isStream) await response.body?.cancel();
    const text = isStream ? '' : await response.text();
    const isJson = /[/+]json/.test(type);
    const body: unknown = isJson ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body, took: performance.now() - began };
  }

  get(path: string, headers: Record<string, string> = {}): Promise<EyeResponse> {
    return this.request('GET', path, { headers });
  }

  /** @param body a value to be sent as JSON, or a text to be sent as it is */
  post(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
    init: RequestInit = {},
  ): Promise<EyeResponse> {
    return this.request('POST', path, {
      ...init,
      body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  /** Sends events, again after a `503` as senders do, and waits until they are stored. */
  async store(body: unknown): Promise<EyeResponse> {
    const response = await eventually(async () => {
      const sent = await this.post('/events/', body, { prefer: 'wait=20' });
      if (sent.status === 503) throw notStored(sent);
      return sent;
    });
    if (response.status !== 201 && response.status !== 200) throw notStored(response);
    return response;
  }

  /** Queries PostgreSQL directly. */
  sql<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.sqlAt(this.databaseUrl, text, values);
  }

  /** Queries the embedded PostgreSQL as its superuser. */
  sqlAsSuperuser<Row extends pg.QueryResultRow>(text: string): Promise<Row[]> {
    return this.sqlAt(superuserUrl(this.databaseUrl), text);
  }

  private async sqlAt<Row extends pg.QueryResultRow>(
    connectionString: string,
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> {
    const client = new pg.Client({ connectionString });
    await client.connect();
    try {
      return (await client.query<Row>(text, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Queries Redis directly. */
  async redis<Result>(ask: (redis: Redis) => Promise<Result>): Promise<Result> {
    const redis = new Redis(this.redisUrl.replace(/^unix:\/\/([^?]*).*/, '$1'));
    try {
      return await ask(redis);
    } finally {
      redis.disconnect();
    }
  }

  /** Of the current process. */
  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Resolves once every accepted event is stored, and no job is left in the queue. */
  drained(): Promise<void> {
    return eventually(async () => {
      const left = await this.redis(countUnstored);
      if (left > 0) throw new Error(`${left} jobs and events are left.`);
    }, 120_000);
  }
}

/** The number of accepted events that are not stored, and of unfinished jobs. */
async function countUnstored(redis: Redis): Promise<number> {
  const key = (name: string): string => `the-eye:ingestion:${name}`;
  // At one moment: a job that moves between two lists would be missed otherwise.
  const transaction = redis
    .multi()
    .get(key('items'))
    .llen(key('wait'))
    .llen(key('active'))
    .zcard(key('delayed'));
  return ((await transaction.exec()) ?? []).reduce((sum, [, count]) => sum + Number(count), 0);
}

/** The address of an embedded PostgreSQL for its superuser, from the one for the role of The Eye. */
export const superuserUrl = (databaseUrl: string): string => databaseUrl.replace('//the_eye@', '//postgres@');

/** Removes a folder, even while a process that is about to end still writes into it. */
export async function remove(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

/** Milliseconds between two attempts at most. */
const MAX_DELAY_MS = 250;

/**
 * Repeats an attempt until it succeeds. The long default timeout is for busy machines; it costs nothing on others.
 * @throws the last error of the attempt, when the time is up
 */
export async function eventually<Result>(
  attempt: () => Promise<Result>,
  timeoutMs = 120_000,
): Promise<Result> {
  const end = Date.now() + timeoutMs;
  // Longer waits look less often, so that what is waited for has the machine.
  for (let delayMs = 20; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, delayMs));
    }
  }
}

/**
 * The bound in a spec for what is promised within so many milliseconds. Other specs keep the machine busy, and it may be a
 * slow one, so a spec only detects a hang: `npm run test:faults` measures the promise itself.
 */
export const onTime = (promisedMs: number): number => 5 * promisedMs;

/** A text as the JSON of the log contains it. */
export const inLog = (text: string): string => JSON.stringify(text).slice(1, -1);

const notStored = ({ body }: EyeResponse): Error => new Error(`Not stored: ${JSON.stringify(body)}`);

let made = 0;

/** A valid and unique event; `fields` replace its own. */
export function anEvent(fields: Record<string, unknown> = {}): Omit<Event, 'id'> {
  return {
    session_id: `session-${process.pid}-${made++}`,
    category: 'page interaction',
    name: 'pageview',
    data: { host: 'www.consumeraffairs.com', path: '/' },
    timestamp: '2021-01-01T09:15:29.243860Z',
    ...fields,
  };
}
