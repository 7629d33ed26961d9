import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Piscina } from 'piscina';
import { type FieldErrors, InvalidFieldsError } from '../../platform/errors/domain-error.js';
import type { Compilation } from './compile-schema.js';
import { PayloadSchema } from './payload-schema.js';

/** Milliseconds until an idle thread ends, which holds some 20 MiB. */
const IDLE_TIMEOUT_MS = 10_000;

/** The schema is invalid or unsafe. Its errors are messages by path, e.g. `schema.properties.url.pattern`. */
export class SchemaError extends InvalidFieldsError {
  constructor(errors: FieldErrors) {
    super(errors, 'The schema cannot be used.');
  }
}

/** Compiles schemas one at a time in a thread, so that no request waits for the schema of another. */
@Injectable()
export class SchemaCompiler implements OnModuleDestroy {
  private pool: Promise<Piscina> | undefined;

  /**
   * @param source a JSON value
   * @throws SchemaError when it is not a schema, or not safe to run on every event
   */
  async compile(source: unknown): Promise<PayloadSchema> {
    this.pool ??= startPool();
    const pool = await this.pool;
    const text = JSON.stringify(source ?? null);
    return toPayloadSchema((await pool.run(text, { name: 'compileSchema' })) as Compilation);
  }

  async onModuleDestroy(): Promise<void> {
    await (await this.pool)?.destroy();
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
