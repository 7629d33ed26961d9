import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runFolder } from './run-folder.js';
import { clickhouseClient, OwnClickHouse } from './servers.js';

/*
 * The ClickHouse that all specs of a Jest run share. Each Eye has a database of its own in it. A ClickHouse for each would
 * take 250 MB and some seconds of CPU time.
 */

const at = async (run: string): Promise<OwnClickHouse> => {
  const folder = join(run, 'shared-clickhouse');
  await mkdir(folder, { recursive: true });
  return OwnClickHouse.at(folder);
};

/** Starts it. This process may end before it. */
export async function startRunClickHouse(run: string): Promise<void> {
  const clickhouse = await at(run);
  await clickhouse.start();
  clickhouse.unref();
}

export async function stopRunClickHouse(run: string): Promise<void> {
  await (await at(run)).stopLeftover();
}

export interface ClickHouseDatabase {
  /** For CLICKHOUSE_URL. */
  readonly url: string;
  drop(): Promise<void>;
}

/** A new name of a database, which The Eye creates. */
export async function newClickHouseDatabase(): Promise<ClickHouseDatabase> {
  const run = runFolder();
  if (run === undefined) throw new Error('Only specs share a ClickHouse: there is no Jest run.');
  const { url, socket } = await at(run);
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
