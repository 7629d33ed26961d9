import { createRunFolder, type Folders, prepareFolders } from './folders.js';
import type { ServerName } from './servers.js';
import { SupervisorClient } from './supervisor-client.js';

export interface EmbeddedServers {
  /** For example `postgresql://the_eye@localhost:5432/the_eye?host=%2Ftmp%2Fthe-eye-1a2b3c%2Fpostgres`. */
  readonly databaseUrl?: string;
  /** For example `unix:///tmp/the-eye-1a2b3c/redis.sock`. */
  readonly redisUrl?: string;
  /** For example `unix:///tmp/the-eye-1a2b3c/clickhouse.sock`. */
  readonly clickhouseUrl?: string;
  /** Releases the servers. If no other process uses them, resolves when they have stopped. */
  close(): Promise<void>;
}

/** Says for each server whether this process needs it. */
export interface EmbeddedOptions extends Readonly<Record<ServerName, boolean>> {
  /** Holds the data; processes with the same folder share the same servers. */
  readonly dataDir: string;
  /** Receives lines for the user: a first start, an installation, a crash, a restart. */
  readonly log: (line: string) => void;
}

/**
 * The addresses, which depend on the data folder alone. The one of PostgreSQL means the same to libpq and node-postgres;
 * it names the port because PGPORT would change the default.
 */
const URLS: Record<ServerName, (folders: Folders) => string> = {
  postgres: ({ postgresSockets }) =>
    `postgresql://the_eye@localhost:5432/the_eye?host=${encodeURIComponent(postgresSockets)}`,
  redis: ({ redisSocket }) => `unix://${redisSocket}`,
  clickhouse: ({ clickhouseSocket }) => `unix://${clickhouseSocket}`,
};

/** Servers without which The Eye accepts and stores events. Nothing waits for their start. */
const BACKGROUND: ReadonlySet<ServerName> = new Set(['clickhouse']);

/**
 * Starts the servers that this process needs, or shares them with the processes that use the same data folder. They run
 * until the last of these processes has closed or died. The addresses stay valid until `close()`: a server that crashes
 * is restarted, and so is the supervisor.
 * @throws Error whose message says what is wrong and how to fix it
 */
export async function startEmbeddedServers(options: EmbeddedOptions): Promise<EmbeddedServers> {
  const { dataDir, log } = options;
  const names = (Object.keys(URLS) as ServerName[]).filter((name) => options[name]);
  if (names.length === 0) return { close: () => Promise.resolve() };
  const folders = await prepareFolders(dataDir);
  await createRunFolder(folders);
  const client = new SupervisorClient(
    folders,
    {
      servers: names.filter((name) => !BACKGROUND.has(name)),
      background: names.filter((name) => BACKGROUND.has(name)),
    },
    log,
  );
  await client.connect();
  return {
    databaseUrl: options.postgres ? URLS.postgres(folders) : undefined,
    redisUrl: options.redis ? URLS.redis(folders) : undefined,
    clickhouseUrl: options.clickhouse ? URLS.clickhouse(folders) : undefined,
    close: () => client.close(),
  };
}
