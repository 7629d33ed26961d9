import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { MIGRATIONS } from './migrations/migrations.js';

/** Milliseconds to wait for a connection, from the pool or from PostgreSQL. */
const CONNECT_TIMEOUT_MS = 1500;

/** The connection options of the application, its commands, its migrations and its tests. */
export function dataSourceOptions(url: string): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize: 10,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    applicationName: 'the-eye',
    installExtensions: false,
    synchronize: false,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    // Callers log failed statements, together with what they do about them.
    logging: false,
    // The pool replaces an idle connection that breaks; the next query gets a working one or an error.
    poolErrorHandler: () => undefined,
    // Lets the kernel detect dead connections, because migrations run without a deadline.
    extra: { keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
  };
}
