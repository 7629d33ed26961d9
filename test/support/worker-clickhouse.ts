import { randomBytes } from 'node:crypto';
import { eventually } from '../../testing/the-eye.js';
import { clickhouseClient, OwnClickHouse } from './servers.js';
import { WorkerServer } from './worker-server.js';

export const workerClickHouse = new WorkerServer('clickhouse', (folder) => OwnClickHouse.at(folder));

/** Options of a statement that makes many events: on a slow machine it takes longer than a question may. */
export const MAKING_EVENTS = { timeoutMs: 120_000 };

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
  const { url, socket } = await workerClickHouse.get();
  const name = `eye_${randomBytes(6).toString('hex')}`;
  return {
    url: `${url}?database=${name}`,
    async drop() {
      const client = clickhouseClient(socket, 'default');
      // ClickHouse refuses while a statement of an Eye that has ended still creates a table.
      for (const database of [name, `${name}_empty`])
        await eventually(() => client.command({ query: `DROP DATABASE IF EXISTS ${database} SYNC` }));
      await client.close();
    },
  };
}
