import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Counts what was stored before there were counts. In a snapshot of its own, so that other workers go on storing: their
 * changes are noted since the migration before, and those that the snapshot shows are counted with their events.
 */
export class CountEvents1764360000001 implements MigrationInterface {
  name = 'CountEvents1764360000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`);
    await runner.query(`SELECT rebuild_event_counts()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM event_counts`);
  }
}
