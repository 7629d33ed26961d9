import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Gathers the sessions of what was stored before, in a snapshot of its own, as CountEvents counts. */
export class GatherSessions1764350000001 implements MigrationInterface {
  name = 'GatherSessions1764350000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`);
    await runner.query(`SELECT rebuild_sessions()`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM session_lists`);
    await runner.query(`DELETE FROM sessions`);
  }
}
