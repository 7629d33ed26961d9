import { rm, writeFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { join } from 'node:path';
import { Engine } from './engine.js';
import { HttpInterface } from './http-interface.js';

/*
 * The program of the process that is the embedded ClickHouse: chdb behind ClickHouse's HTTP interface. Its arguments are
 * the data folder, the Unix socket, and options of clickhouse-local.
 */

async function main([folder = '', socket = '', ...args]: readonly string[]): Promise<void> {
  process.umask(0o077);
  // Before the engine starts its threads, which inherit it: accepting and storing events have priority.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  // Some tools send Ctrl-C to all descendants of a process. The supervisor stops this one.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);

  const pidFile = join(folder, 'clickhouse.pid');
  await writeFile(pidFile, `${process.pid}\n`);
  const engine = new Engine(folder, args, () => {
    // A thread would go on for ever. The supervisor starts another process.
    console.error('A statement cannot be cancelled.');
    process.kill(process.pid, 'SIGKILL');
  });
  let stopping = false;
  const http = new HttpInterface(engine, (message) => {
    // The supervisor starts another process.
    if (!stopping) fail(new Error(message));
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    await http.close();
    await engine.close();
    await rm(pidFile, { force: true });
    process.exit();
  };
  process.once('SIGTERM', () => void stop().catch(fail));
  await rm(socket, { force: true });
  await http.listen(socket);
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

await main(process.argv.slice(2)).catch(fail);
