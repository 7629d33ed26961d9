import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { once } from 'node:events';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Piscina } from 'piscina';
import { Timeslice } from '../../platform/async/timeslice.js';
import {
  type FieldErrors,
  InvalidFieldsError,
  UnavailableError,
} from '../../platform/errors/domain-error.js';
import type { Compilation } from './compile-schema.js';
import { compilePattern, type Pattern } from './patterns.js';
import { PayloadSchema } from './payload-schema.js';

/** Milliseconds until an idle thread ends, which holds some 20 MiB. */
const IDLE_TIMEOUT_MS = 10_000;

/** Milliseconds after which a thread has failed: the largest schema takes a few seconds on a slow machine. */
const TIMEOUT_MS = 30_000;

/** The schema is invalid or unsafe. Its errors are messages by path, e.g. `schema.properties.url.pattern`. */
export class SchemaError extends InvalidFieldsError {
  constructor(errors: FieldErrors) {
    super(errors, 'The schema cannot be used.');
  }
}

/**
 * Compiles schemas in a thread, one at a time, so that no request waits for the schema of another. Applications take turns: a schema
 * waits for one of each other application at most.
 */
@Injectable()
export class SchemaCompiler implements OnApplicationShutdown {
  private readonly logger = new Logger('SchemaCompiler');
  private readonly turns = new Map<string, LimitFunction>();
  private readonly oneAtATime = pLimit(1);
  private pool: Promise<Piscina> | undefined;

  /**
   * @param source a JSON value
   * @param maxWaiting schemas of the application that may wait before this one
   * @throws SchemaError when it is not a schema, or not safe to run on every event; UnavailableError `busy` when too many wait, or
   *   when the thread fails
   */
  async compile(application: string, source: unknown, maxWaiting = Infinity): Promise<PayloadSchema> {
    const inTurn = this.turns.get(application) ?? pLimit(1);
    if (inTurn.pendingCount >= maxWaiting)
      throw new UnavailableError('busy', 'Too many schemas of the application wait to be compiled.');
    this.turns.set(application, inTurn);
    const text = JSON.stringify(source ?? null);
    return toPayloadSchema(await inTurn(() => this.oneAtATime(() => this.run(text))));
  }

  /** After the last request, which may wait for a schema. */
  async onApplicationShutdown(): Promise<void> {
    await (await this.pool)?.destroy();
  }

  private async run(text: string): Promise<Compilation> {
    const pool = await (this.pool ??= startPool());
    const ended = new AbortController();
    // If a thread cannot start, piscina emits the error on the pool, and does not reject the promise of the task.
    const failure = once(pool, 'error', { signal: ended.signal }).then(([error]) => {
      throw error as Error;
    });
    try {
      const options = { name: 'compileSchema', signal: AbortSignal.timeout(TIMEOUT_MS) };
      return await Promise.race([pool.run(text, options) as Promise<Compilation>, failure]);
    } catch (error) {
      this.pool = undefined;
      void pool.destroy();
      this.logger.error(`The thread that compiles schemas failed: ${String(error)}`);
      throw new UnavailableError('busy', 'The schema could not be compiled now.', { cause: error });
    } finally {
      ended.abort();
    }
  }
}

/** Makes the functions of a schema. @throws SchemaError when it was not compiled */
async function toPayloadSchema(compilation: Compilation): Promise<PayloadSchema> {
  if ('errors' in compilation) throw new SchemaError(compilation.errors);
  const slice = new Timeslice();
  const patterns = new Map<string, Pattern>();
  for (const source of compilation.patterns) {
    if (slice.isOver) await slice.next();
    patterns.set(source, compilePattern(source));
  }
  return new PayloadSchema(compilation, patterns);
}

/** Loads the package when the first schema is compiled, since most starts need none. */
async function startPool(): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  const pool = new Piscina({
    filename: new URL('./compile-schema.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_TIMEOUT_MS,
    // Requests go before.
    niceIncrement: 10,
    // The stack is no larger than that of the main thread, so that nothing is accepted that is nested too deep there.
    resourceLimits: { stackSizeMb: 1, maxOldGenerationSizeMb: 512 },
  });
  // Without a listener, a failure while nothing is compiled would end the process.
  pool.on('error', () => undefined);
  return pool;
}
