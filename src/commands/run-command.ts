import type { INestApplicationContext, Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ClickHouseModule } from '../platform/clickhouse/clickhouse.module.js';
import { environment } from '../platform/config/environment.js';
import { DatabaseUnavailableError } from '../platform/database/database-errors.js';
import { DatabaseModule } from '../platform/database/database.module.js';
import { Database } from '../platform/database/database.js';
import { embedsClickHouse } from '../platform/embedded/clickhouse/chdb.js';
import { startEmbeddedServers } from '../platform/embedded/embedded-servers.js';
import { holdsDatabase } from '../platform/embedded/folders.js';

const DATABASE_TIMEOUT_MS = 15_000;

/** The work of a command. It returns its output, and throws an error whose message tells the user what to change. */
export type Command = ((context: INestApplicationContext) => Promise<string>) & {
  /** Whether it may run before the first start of The Eye. It then creates the data folder. */
  readonly precedesStart?: boolean;
};

export interface CommandLine {
  readonly usage: string;
  /** Whether the commands need ClickHouse. */
  readonly clickhouse?: boolean;
  /** What the commands take from their context, in addition to the database. */
  readonly providers: Provider[];
  /**
   * @returns undefined to print the usage
   * @throws Error if the arguments are invalid
   */
  readonly parse: (args: string[]) => Command | undefined;
}

/** Runs the command of the process's arguments. It prints the output, or the error with exit code 1. */
export async function runCommand({ usage, clickhouse, providers, parse }: CommandLine): Promise<void> {
  try {
    const command = parse(process.argv.slice(2));
    console.log(command ? await withDatabase(providers, command, clickhouse) : usage);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

/**
 * Runs a command on the database of The Eye, and starts the embedded servers if no other process has.
 * @throws DatabaseUnavailableError
 */
async function withDatabase(
  providers: Provider[],
  command: Command,
  needsClickHouse = false,
): Promise<string> {
  const dataDir = resolve(environment.DATA_DIR);
  if (environment.DATABASE_URL === undefined && !command.precedesStart && !holdsDatabase(dataDir))
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

/**
 * The command that the arguments name.
 * @returns undefined if they ask for help
 * @throws Error that says what is wrong with them
 */
export function parseAction(
  args: string[],
  commands: Readonly<Record<string, Command>>,
): Command | undefined {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  });
  const [action, ...excess] = positionals;
  if (values.help || action === undefined) return undefined;
  if (excess.length > 0) throw new Error(`Unexpected argument: ${excess.join(' ')}`);
  if (Object.hasOwn(commands, action)) return commands[action];
  throw new Error(`There is no command "${action}": use ${Object.keys(commands).join(' or ')}.`);
}
