import type { INestApplicationContext, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { DatabaseModule } from '../platform/database/database.module.js';
import { Database } from '../platform/database/database.js';
import { startEmbeddedServers } from '../platform/embedded/embedded-servers.js';

const DATABASE_TIMEOUT_MS = 15_000;

/** The work of a command. It returns its output, and throws an error whose message tells the user what to change. */
export type Command = (context: INestApplicationContext) => Promise<string>;

export interface CommandLine {
  readonly usage: string;
  /** What the commands take from their context, in addition to the database. */
  readonly providers: Provider[];
  /**
   * @returns undefined to print the usage
   * @throws Error if the arguments are invalid
   */
  readonly parse: (args: string[]) => Command | undefined;
}

/** Runs the command of the process's arguments. It prints the output, or the error with exit code 1. */
export async function runCommand({ usage, providers, parse }: CommandLine): Promise<void> {
  try {
    const command = parse(process.argv.slice(2));
    console.log(command ? await withDatabase(providers, command) : usage);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

/**
 * Runs a command on the database of The Eye, and starts the embedded PostgreSQL if no other process has.
 * @throws DatabaseUnavailableError
 */
async function withDatabase(providers: Provider[], command: Command): Promise<string> {
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
