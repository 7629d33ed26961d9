import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766200000000-replication');

/** Adds the log of changed events, from which they are copied to ClickHouse. */
export class Replication1766200000000 implements MigrationInterface {
  name = 'Replication1766200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-replication.sql'), 'utf8'));
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const trigger of ['stored', 'removed', 'updated_1_removed', 'updated_2_stored', 'emptied'])
      await runner.query(`DROP TRIGGER events_replication_${trigger} ON events`);
    await runner.query('DROP FUNCTION log_changed_events, log_emptied_events');
    await runner.query('DROP TABLE replication_log, replication_state');
  }
}
