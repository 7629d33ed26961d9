import type { MigrationInterface, QueryRunner } from 'typeorm';
import { FOLD_SESSIONS } from './1764350000000-create-sessions.js';

/** For those whose function is older: it might read all changes again for each of them. */
export class FoldSessionsFaster1764370000000 implements MigrationInterface {
  name = 'FoldSessionsFaster1764370000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(FOLD_SESSIONS);
  }

  /** The older one does the same. */
  async down(): Promise<void> {
    // Nothing to undo.
  }
}
