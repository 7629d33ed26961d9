import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766600000000-dialects');

/** Adds what is kept of events that arrive in the protocols of other systems. */
export class Dialects1766600000000 implements MigrationInterface {
  name = 'Dialects1766600000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-columns.sql'), 'utf8'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE rejections DROP COLUMN dialect;
      ALTER TABLE events DROP COLUMN clock_skew_ms`);
  }
}
