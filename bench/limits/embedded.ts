import { startEmbeddedServers, type EmbeddedServers } from '../../src/platform/embedded/embedded-servers.js';

/**
 * Starts a server like that of The Eye, with its settings, in the data folder of this process. It stops after the server of the
 * contender, when the benchmark ends the process.
 */
export async function startEmbedded(
  name: 'postgres' | 'redis',
  closeContender: () => Promise<unknown>,
): Promise<EmbeddedServers> {
  const servers = await startEmbeddedServers({
    dataDir: process.env['DATA_DIR'] ?? '',
    log: () => undefined,
    postgres: name === 'postgres',
    redis: name === 'redis',
    clickhouse: false,
  });
  process.once('SIGTERM', () => {
    void closeContender()
      .then(() => servers.close())
      .then(() => process.exit());
  });
  return servers;
}
