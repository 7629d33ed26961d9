import type { QueryRunner } from 'typeorm';
import { UnusableDatabaseError } from '../database-errors.js';
import { InitialSchema1765000000000 } from './1765000000000-initial-schema.js';

/** The migrations of 0.1 (commit 713db8e), which the initial schema replaces. Together they make the same schema. */
const SQUASHED = [
  'CreateEvents1764000000000',
  'CreateApplications1764010000000',
  'CreateEventTypes1764200000000',
  'CreateSessions1764350000000',
  'GatherSessions1764350000001',
  'CreateEventCounts1764360000000',
  'CountEvents1764360000001',
  'FoldSessionsFaster1764370000000',
  'EndSumsOfDaysEachHalfHour1764380000000',
];

/**
 * Recognises a database that 0.1 has migrated, in the transaction of the runner: the row of the initial schema replaces those of 0.1 in
 * the table `migrations`, and the unique index of the events becomes their primary key. No row of data is touched.
 * @throws UnusableDatabaseError when only some of those migrations have run
 */
export async function adoptSquashedMigrations(runner: QueryRunner): Promise<void> {
  if (!(await runner.hasTable('migrations'))) return;
  const rows = (await runner.query(`SELECT name FROM migrations WHERE name = ANY ($1)`, [
    SQUASHED,
  ])) as unknown[];
  if (rows.length === 0) return;
  if (rows.length < SQUASHED.length)
    throw new UnusableDatabaseError(
      `The database has ${rows.length} of the ${SQUASHED.length} migrations of version 0.1. ` +
        'Start the last commit of 0.1 (713db8e) on it once, then this version.',
    );
  const { name } = new InitialSchema1765000000000();
  await runner.query('ALTER TABLE events ADD CONSTRAINT events_unique PRIMARY KEY USING INDEX events_unique');
  await runner.query(
    `WITH squashed AS (DELETE FROM migrations WHERE name = ANY ($1))
     INSERT INTO migrations (timestamp, name) VALUES ($2, $3)`,
    [SQUASHED, name.replace(/\D/g, ''), name],
  );
}
