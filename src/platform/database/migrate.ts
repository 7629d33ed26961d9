import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import { UnusableDatabaseError } from './database-errors.js';
import { adoptSquashedMigrations } from './migrations/squashed-migrations.js';

/** Key of the advisory lock: "EYE" in ASCII, which other users of the database are unlikely to take. */
const MIGRATION_LOCK = 0x455945;

/**
 * Brings the schema up to date, in one transaction. When several processes start at once, the first one migrates and the
 * others wait for its lock. The lock belongs to the transaction: a lock of the session would stay behind on a connection of
 * a pooler, and no other process could start.
 * @throws UnusableDatabaseError when the schema is of a newer version, or from between two versions
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    await runner.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    await adoptSquashedMigrations(runner);
    await refuseNewerSchema(dataSource, runner);
    await new MigrationExecutor(dataSource, runner).executePendingMigrations();
    await runner.commitTransaction();
  } catch (error) {
    // Fails if the connection is lost, and then PostgreSQL rolls back by itself.
    await runner.rollbackTransaction().catch(() => undefined);
    throw error;
  } finally {
    await runner.release();
  }
}

/** This version would store rows that a newer version does not expect. */
async function refuseNewerSchema(dataSource: DataSource, runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable('migrations'))) return;
  const known = dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name);
  const newer = (await runner.query(
    'SELECT name FROM migrations WHERE NOT name = ANY ($1) ORDER BY timestamp, name',
    [known],
  )) as { name: string }[];
  if (newer.length === 0) return;
  throw new UnusableDatabaseError(
    'The schema of the database is of a newer version of The Eye. Start that version, or restore a backup. ' +
      `This version does not know: ${newer.map(({ name }) => name).join(', ')}.`,
  );
}
