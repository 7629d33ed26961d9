import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766100000000-application-limits');

/** Adds the limits of an application to its row. */
export class ApplicationLimits1766100000000 implements MigrationInterface {
  name = 'ApplicationLimits1766100000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-limits.sql'), 'utf8'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE applications DROP COLUMN types_limit, DROP COLUMN past_limit');
  }
}
