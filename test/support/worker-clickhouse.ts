import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder } from './run-folder.js';
import { clickhouseClient, OwnClickHouse } from './servers.js';

const PREFIX = 'clickhouse-';

export interface ClickHouseDatabase {
  /** For CLICKHOUSE_URL. */
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * A new name of a database, which The Eye creates, in the ClickHouse that all specs of this Jest worker share: one for each Eye
 * would take 250 MB and some seconds of CPU time. Only one spec of a worker runs at a time, so that it has the server for itself.
 */
export async function newClickHouseDatabase(): Promise<ClickHouseDatabase> {
  const { url, socket } = await (running ??= joinOrStart());
  const name = `eye_${randomBytes(6).toString('hex')}`;
  return {
    url: `${url}?database=${name}`,
    async drop() {
      const client = clickhouseClient(socket, 'default');
      for (const database of [name, `${name}_empty`])
        await client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` });
      await client.close();
    },
  };
}

/** Stops the ClickHouse of each Jest worker of a run. */
export async function stopWorkerClickHouse(folder: string): Promise<void> {
  const workers = (await readdir(folder)).filter((name) => name.startsWith(PREFIX));
  await Promise.all(workers.map(async (name) => (await OwnClickHouse.at(join(folder, name))).stopLeftover()));
}

let running: Promise<OwnClickHouse> | undefined;

/** The first spec file starts the server. Jest loads this module again for each file, and the server keeps running. */
async function joinOrStart(): Promise<OwnClickHouse> {
  const run = runFolder();
  if (run === undefined) throw new Error('Only specs share a ClickHouse: there is no Jest run.');
  const folder = join(run, `${PREFIX}${process.env['JEST_WORKER_ID'] ?? 'setup'}`);
  await mkdir(folder, { recursive: true });
  const clickhouse = await OwnClickHouse.at(folder);
  if (!(await clickhouse.accepts())) await clickhouse.start();
  clickhouse.unref();
  return clickhouse;
}
