import { readFile } from 'node:fs/promises';
import { DEFAULT_APPLICATION } from '../../src/auth/caller.js';
import { Admin } from '../../testing/keys.js';
import { eventually, TheEye } from '../../testing/the-eye.js';
import { ANY_AGE, startEyeWithClickHouse } from '../support/start-eye.js';
import { DIALECT_APPLICATION } from './dialects/dialect-ledger.js';
import { type Operation, operationsOf, type Schema } from './document.js';
import { KnownRecords } from './known-records.js';
import type { Fault } from './oracle.js';
import type { WireContext } from './wire.js';

/** Incomplete requests are refused early, and no number of types or age of an event is too large. */
const SETTINGS = { ...ANY_AGE, REQUEST_TIMEOUT: '2000', TYPES_LIMIT: '1000000' };

/** Memory limit of each process, which allows for a few concurrent bodies of 5 MiB. */
const MAX_MEMORY_BYTES = 1024 ** 3;

const APPLICATION = 'fuzz';

/**
 * Output that indicates an unexpected error. Other warnings are legitimate: a slow machine returns 503, and a client that
 * disconnects aborts an export.
 */
const ALARM_PATTERN =
  /^(?:error|fatal): |^warn: PostgreSQL (?:failed|refused)|unhandled|uncaught|deprecat|^\s+at .+:\d+:\d+\)?$/im;

/** The relevant fields of a log line. */
interface LogLine {
  level: string;
  context?: string;
  msg: string;
  err?: { stack: string };
}

/** Two Eyes with the same data: an open one, and one that requires keys. */
export class FuzzTarget {
  readonly memory = { open: 0, guarded: 0 };
  private readonly memoryTimer: NodeJS.Timeout;

  private constructor(
    readonly open: TheEye,
    readonly guarded: TheEye,
    readonly context: WireContext,
    readonly operations: Operation[],
    readonly problem: Schema,
  ) {
    this.memoryTimer = setInterval(() => void this.sampleMemory(), 2000);
  }

  static async start(): Promise<FuzzTarget> {
    const open = await startEyeWithClickHouse(SETTINGS);
    try {
      // Until the first copy is complete, questions to ClickHouse get 503.
      await eventually(async () => {
        const { status } = await open.get('/properties/');
        if (status !== 200) throw new Error(`GET /properties/ responds ${status}.`);
      }, 60_000);
      const guarded = await open.startPeer({ ...SETTINGS, AUTH: 'required' });
      const admin = await Admin.of(guarded);
      const protectedValues = new Set<unknown>([
        DEFAULT_APPLICATION,
        APPLICATION,
        DIALECT_APPLICATION,
        'administration',
      ]);
      const make = async (scope: string, application = APPLICATION): Promise<string> => {
        // Of all applications, so that the requests reach every route.
        const { id, key } = await admin.create(application, { scope, all_applications: scope !== 'ingest' });
        protectedValues.add(id);
        return key;
      };
      const keys = {
        ingest: await make('ingest'),
        read: await make('read'),
        admin: await make('admin'),
        dialect: await make('ingest', DIALECT_APPLICATION),
      };
      const hosts = { open: new URL(open.url).host, guarded: new URL(guarded.url).host };
      const { body: document } = await open.get('/docs-json');
      const context = { hosts, keys, known: new KnownRecords(protectedValues) };
      return new FuzzTarget(
        open,
        guarded,
        context,
        operationsOf(document),
        document.components.schemas.ProblemResponse,
      );
    } catch (error) {
      await open.close();
      throw error;
    }
  }

  /** Checks the processes at the end of the run. */
  async *inspect(): AsyncGenerator<Fault> {
    await this.sampleMemory();
    for (const name of ['open', 'guarded'] as const) {
      const eye = this[name];
      const { exitCode, signalCode } = eye.process;
      if (exitCode !== null || signalCode !== null)
        yield { signature: `${name}: died`, detail: `${exitCode ?? signalCode}\n${eye.output.slice(-2000)}` };
      else if ((await eye.get('/health/ready')).status !== 200)
        yield {
          signature: `${name}: not ready`,
          detail: JSON.stringify((await eye.get('/health/ready')).body),
        };
      const alarms = findAlarms(eye.output);
      for (const alarm of alarms)
        yield { signature: `${name}: output: ${alarm.split('\n', 1)[0]?.slice(0, 120)}`, detail: alarm };
      if (this.memory[name] > MAX_MEMORY_BYTES)
        yield { signature: `${name}: memory`, detail: `${this.memory[name]} bytes` };
    }
    const failed = await this.open.redis((redis) => redis.zcard('the-eye:ingestion:failed'));
    if (failed > 0) yield { signature: 'failed jobs', detail: String(failed) };
  }

  async close(): Promise<void> {
    clearInterval(this.memoryTimer);
    await this.guarded.end();
    await this.open.close();
  }

  /** Updates the peak memory of each process. Linux only. */
  private async sampleMemory(): Promise<void> {
    for (const name of ['open', 'guarded'] as const) {
      const status = await readFile(`/proc/${this[name].process.pid}/status`, 'utf8').catch(() => '');
      const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0);
      this.memory[name] = Math.max(this.memory[name], kilobytes * 1024);
    }
  }
}

/** Finds alarming log lines and output of Node itself, one of each kind. */
function findAlarms(output: string): string[] {
  const entries = output
    .split(/\n(?=\{)|(?<=\})\n|\n\n/)
    .map((entry) => (/^\{"level":.*\}$/.test(entry) ? formatLine(JSON.parse(entry)) : entry));
  const alarming = entries.filter((entry) => ALARM_PATTERN.test(entry)).map((entry) => entry.slice(0, 1500));
  return [...new Map(alarming.map((entry) => [entry.slice(0, 60), entry])).values()];
}

/** Omits the time and the process id, so that equal messages compare equal. */
function formatLine({ level, context, msg, err }: LogLine): string {
  return `${level}: ${err?.stack ?? msg}${context === undefined ? '' : ` (${context})`}`;
}
