import type { INestApplicationContext, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../platform/config/environment.js';
import { startEmbeddedServers } from '../platform/embedded/embedded-servers.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { Database } from '../platform/database/database.js';
import { DatabaseModule } from '../platform/database/database.module.js';

/** Milliseconds that somebody at a terminal waits for PostgreSQL. */
const PATIENCE = 15_000;

/**
 * Does some work for the command line, on the PostgreSQL of The Eye, which may run beside it or not.
 * @param providers what the work takes from the context that it is given
 * @throws DatabaseUnavailableError
 */
export async function onDatabase<Result>(
  providers: Provider[],
  work: (context: INestApplicationContext) => Promise<Result>,
): Promise<Result> {
  const servers = await startEmbeddedServers({
    dataDir: resolve(environment.DATA_DIR),
    postgres: environment.DATABASE_URL === undefined,
    redis: false,
    log: (line) => console.error(line),
  });
  try {
    const url = environment.DATABASE_URL ?? servers.databaseUrl ?? '';
    const context = await NestFactory.createApplicationContext(
      { module: class {}, imports: [DatabaseModule.forRoot(url)], providers },
      { logger: false },
    );
    try {
      const { ready } = context.get(Database);
      const late = wait(PATIENCE, undefined, { ref: false }).then(() => {
        throw new DatabaseUnavailableError();
      });
      await Promise.race([ready, late]);
      return await work(context);
    } finally {
      await context.close();
    }
  } finally {
    await servers.close();
  }
}
