import './platform/json/json-parse.js';
import { resolve } from 'node:path';
import { environment } from './platform/config/environment.js';
import { setNodeFlags } from './platform/config/node-flags.js';
import { embedsClickHouse } from './platform/embedded/clickhouse/chdb.js';
import { startEmbeddedServers } from './platform/embedded/embedded-servers.js';

setNodeFlags();

/** Loads the application's code while PostgreSQL and Redis start, which takes about as long. */
async function main(): Promise<void> {
  const { DATA_DIR, DATABASE_URL, REDIS_URL } = environment;
  const bootstrap = import('./bootstrap.js');
  const embedded = startEmbeddedServers({
    dataDir: resolve(DATA_DIR),
    postgres: DATABASE_URL === undefined,
    redis: REDIS_URL === undefined,
    clickhouse: embedsClickHouse(environment),
    log: (line) => void bootstrap.then(({ logStartup }) => logStartup(line)),
  });
  const [{ serve }, servers] = await Promise.all([bootstrap, embedded]);
  await serve(servers);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
