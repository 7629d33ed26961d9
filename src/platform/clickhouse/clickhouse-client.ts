import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Agent } from 'node:http';
import type { ClickHouseAddress } from '../config/clickhouse-url.js';

const MAX_CONNECTIONS = 32;

/** The embedded ClickHouse and servers from 23.11 on keep an unused connection open for longer. */
const IDLE_CONNECTION_MS = 2500;

/** Longer than any statement, each of which has a deadline of its own. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** The official client, for a server or for the socket of the embedded ClickHouse. */
export function createClickHouseClient(address: ClickHouseAddress): ClickHouseClient {
  const { url, socketPath, username, password, database } = address;
  return createClient({
    url,
    username,
    password,
    database,
    application: 'the-eye',
    request_timeout: NO_TIMEOUT_MS,
    max_open_connections: MAX_CONNECTIONS,
    keep_alive: { idle_socket_ttl: IDLE_CONNECTION_MS },
    // The class that runs the statements reports their errors.
    log: { level: ClickHouseLogLevel.OFF },
    // The types of Node.js lack that an agent passes its options on to each connection.
    ...(socketPath !== undefined && {
      http_agent: new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, socketPath } as object),
    }),
    clickhouse_settings: {
      // A question whose asker has gone must not go on.
      cancel_http_readonly_queries_on_client_close: 1,
      // A number of JSON is exact up to 2^53 only.
      output_format_json_quote_64bit_integers: 1,
    },
  });
}
