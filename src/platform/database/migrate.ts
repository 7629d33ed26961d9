import type { DataSource } from 'typeorm';
import { adoptSquashedMigrations } from './migrations/squashed-migrations.js';

/** Key of the advisory lock: "EYE" in ASCII, which other users of the database are unlikely to take. */
const MIGRATION_LOCK = 0x455945;

/**
 * Brings the schema up to date. When several processes start at once, the first one migrates and the others wait for the
 * lock. PostgreSQL releases the lock with the connection, so a killed process does not block the others.
 * @throws UnsupportedSchemaError
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await adoptSquashedMigrations(runner);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
  }
}
