import { clickhouseServer } from './clickhouse-server.js';
import type { Folders } from './folders.js';
import { postgresServer } from './postgres-server.js';
import { redisServer } from './redis-server.js';
import type { ServerDefinition } from './server-definition.js';

type CreateServer = (folders: Folders, log: (line: string) => void) => ServerDefinition;

/** Every server that a supervisor can run. */
export const SERVERS = {
  postgres: postgresServer,
  redis: redisServer,
  clickhouse: clickhouseServer,
} satisfies Record<string, CreateServer>;

export type ServerName = keyof typeof SERVERS;
