import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { Connections } from './connections.js';
import { MIGRATIONS } from './migrations/migrations.js';

/** The data source of the entities and the migrations. Everything else runs on the pools of `Sql`. */
export function dataSourceOptions(
  url: string,
  connections = new Connections(url),
): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    poolSize: 1,
    installExtensions: false,
    synchronize: false,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    // Callers log failed statements, together with what they do about them.
    logging: false,
    // The pool replaces an idle connection that breaks; the next query gets a working one or an error.
    poolErrorHandler: () => undefined,
    extra: connections.poolOptions,
  };
}
