import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Piscina } from 'piscina';
import pLimit, { type LimitFunction } from 'p-limit';
import {
  type FieldErrors,
  InvalidFieldsError,
  UnavailableError,
} from '../../platform/errors/domain-error.js';
import type { Compilation } from './compile-schema.js';
import { PayloadSchema } from './payload-schema.js';

/** Milliseconds until an idle thread ends, which holds some 20 MiB. */
const IDLE_TIMEOUT_MS = 10_000;

/** Schemas of an application that wait for their turn, each for up to a second. */
const MAX_WAITING = 50;

/** The schema is invalid or unsafe. Its errors are messages by path, e.g. `schema.properties.url.pattern`. */
export class SchemaError extends InvalidFieldsError {
  constructor(errors: FieldErrors) {
    super(errors, 'The schema cannot be used.');
  }
}

/**
 * Compiles schemas in a thread, so that nobody else waits for them. Applications take turns: a schema waits for one of each other
 * application at most.
 */
@Injectable()
export class SchemaCompiler implements OnModuleDestroy {
  private readonly queues = new Map<string, LimitFunction>();
  private pool: Promise<Piscina> | undefined;

  /**
   * @param source a JSON value
   * @throws SchemaError when it is not a schema, or not safe to run on every event; UnavailableError `busy` when too many of the
   *   application wait
   */
  async compile(application: string, source: unknown): Promise<PayloadSchema> {
    const queue = this.queues.get(application) ?? pLimit(1);
    if (queue.pendingCount >= MAX_WAITING)
      throw new UnavailableError(
        'busy',
        'Too many schemas of the application wait to be compiled; nothing was changed.',
      );
    this.queues.set(application, queue);
    try {
      return toPayloadSchema(await queue(() => this.run(JSON.stringify(source ?? null))));
    } finally {
      if (queue.activeCount + queue.pendingCount === 0) this.queues.delete(application);
    }
  }

  async onModuleDestroy(): Promise<void> {
    await (await this.pool)?.destroy();
  }

  private async run(text: string): Promise<Compilation> {
    const pool = await (this.pool ??= startPool());
    return (await pool.run(text, { name: 'compileSchema' })) as Compilation;
  }
}

/** @throws SchemaError when it was not compiled */
export function toPayloadSchema(compilation: Compilation): PayloadSchema {
  if ('errors' in compilation) throw new SchemaError(compilation.errors);
  return new PayloadSchema(compilation);
}

/** Loads the package when the first schema is compiled, since most starts need none. */
async function startPool(): Promise<Piscina> {
  const { Piscina } = await import('piscina');
  return new Piscina({
    filename: new URL('./compile-schema.js', import.meta.url).href,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: IDLE_TIMEOUT_MS,
    // Requests go before.
    niceIncrement: 10,
  });
}
