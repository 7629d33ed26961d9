import type { DataSource } from 'typeorm';

/** Any number that other users of the database are unlikely to lock: "EYE" in ASCII. */
const MIGRATION_LOCK = 0x455945;

/**
 * Brings the schema up to date. Several processes may start at once: the first one migrates, the others wait for the
 * lock and find nothing left to do. PostgreSQL drops the lock with the connection, so a killed process holds nobody up.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
  } finally {
    await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
    await runner.release();
  }
}
