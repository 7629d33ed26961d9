import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { CreateEvents1764000000000 } from './migrations/1764000000000-create-events.js';
import { CreateApplications1764010000000 } from './migrations/1764010000000-create-applications.js';
import { CreateEventTypes1764200000000 } from './migrations/1764200000000-create-event-types.js';
import { CreateSessions1764350000000 } from './migrations/1764350000000-create-sessions.js';
import { GatherSessions1764350000001 } from './migrations/1764350000001-gather-sessions.js';
import { CreateEventCounts1764360000000 } from './migrations/1764360000000-create-event-counts.js';
import { CountEvents1764360000001 } from './migrations/1764360000001-count-events.js';
import { FoldSessionsFaster1764370000000 } from './migrations/1764370000000-fold-sessions-faster.js';
import { EndSumsOfDaysEachHalfHour1764380000000 } from './migrations/1764380000000-end-sums-of-days-each-half-hour.js';

/** Milliseconds to wait for a connection, from the pool or from PostgreSQL. */
const CONNECT_TIMEOUT = 1500;

/** The one place with connection options: the application, its migrations and its tests use the same. */
export function dataSourceOptions(url: string): PostgresDataSourceOptions {
  return {
    type: 'postgres',
    url,
    poolSize: 10,
    connectTimeoutMS: CONNECT_TIMEOUT,
    applicationName: 'the-eye',
    installExtensions: false,
    synchronize: false,
    migrations: [
      CreateEvents1764000000000,
      CreateApplications1764010000000,
      CreateEventTypes1764200000000,
      CreateSessions1764350000000,
      GatherSessions1764350000001,
      CreateEventCounts1764360000000,
      CountEvents1764360000001,
      FoldSessionsFaster1764370000000,
      EndSumsOfDaysEachHalfHour1764380000000,
    ],
    migrationsTableName: 'migrations',
    // Failed statements are reported where they are handled, with what was done about them.
    logging: false,
    // An idle connection that breaks is replaced by the pool; whoever asks next sees a good one or an error.
    poolErrorHandler: () => undefined,
    // A connection that died silently is found out by the kernel, also where a statement has no deadline (migrations).
    extra: { keepAlive: true, keepAliveInitialDelayMillis: 10_000 },
  };
}
