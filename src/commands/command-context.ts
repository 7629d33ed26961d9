import type { INestApplicationContext, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClickHouseModule } from '../platform/clickhouse/clickhouse.module.js';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { DatabaseModule } from '../platform/database/database.module.js';
import { Database } from '../platform/database/database.js';
import { embedsClickHouse } from '../platform/embedded/clickhouse/chdb.js';
import { startEmbeddedServers } from '../platform/embedded/embedded-servers.js';
import { holdsDatabase } from '../platform/embedded/folders.js';

const DATABASE_TIMEOUT_MS = 15_000;

/** The work of a command. It returns its output, and throws an error whose message says what the user has to change. */
export type Command = (context: INestApplicationContext) => Promise<string>;

export interface CommandNeeds {
  /** What the command takes from its context, in addition to the database. */
  readonly providers: Provider[];
  readonly needsClickHouse?: boolean;
  /** Whether it may run before the first start of The Eye. It then creates the data folder. */
  readonly precedesStart?: boolean;
}

/**
 * Runs a command on the database of The Eye, and starts the embedded servers if no other process has.
 * @throws DatabaseUnavailableError
 */
export async function runWithDatabase(
  command: Command,
  { providers, needsClickHouse = false, precedesStart = false }: CommandNeeds,
): Promise<string> {
  const dataDir = resolve(environment.DATA_DIR);
  if (environment.DATABASE_URL === undefined && !precedesStart && !holdsDatabase(dataDir))
    throw new Error(`There is no data in ${dataDir}. Start The Eye first, or set DATA_DIR or DATABASE_URL.`);
  const servers = await startEmbeddedServers({
    dataDir,
    postgres: environment.DATABASE_URL === undefined,
    redis: false,
    clickhouse: needsClickHouse && embedsClickHouse(environment),
    log: (line) => console.error(line),
  });
  try {
    const url = environment.DATABASE_URL ?? servers.databaseUrl ?? '';
    const context = await NestFactory.createApplicationContext(
      {
        module: class {},
        imports: [
          DatabaseModule.forRoot(url),
          ...(needsClickHouse
            ? [ClickHouseModule.forRoot(environment.CLICKHOUSE_URL ?? servers.clickhouseUrl)]
            : []),
        ],
        providers,
      },
      { logger: false },
    );
    try {
      const timeout = sleep(DATABASE_TIMEOUT_MS, undefined, { ref: false }).then(() => {
        throw new DatabaseUnavailableError();
      });
      await Promise.race([context.get(Database).ready, timeout]);
      return await command(context);
    } finally {
      await context.close();
    }
  } finally {
    await servers.close();
  }
}
