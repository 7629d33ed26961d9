import './platform/json/json-parse.js';
import { resolve } from 'node:path';
import { environment } from './platform/config/environment.js';
import { setNodeFlags } from './platform/config/node-flags.js';
import { startEmbeddedServers } from './platform/embedded/embedded-servers.js';

setNodeFlags();

/** PostgreSQL and Redis come up while this process still reads its own code, which takes about as long. */
async function main(): Promise<void> {
  const { DATA_DIR, DATABASE_URL, REDIS_URL } = environment;
  const code = import('./bootstrap.js');
  const embedded = startEmbeddedServers({
    dataDir: resolve(DATA_DIR),
    postgres: DATABASE_URL === undefined,
    redis: REDIS_URL === undefined,
    log: (line) => void code.then(({ say }) => say(line)),
  });
  const [{ serve }, servers] = await Promise.all([code, embedded]);
  await serve(servers);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
