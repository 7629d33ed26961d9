import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766700000000-copied-bytes');

/** Bounds the entries of the replication's log by the bytes that are copied. */
export class CopiedBytes1766700000000 implements MigrationInterface {
  name = 'CopiedBytes1766700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-log.sql'), 'utf8'));
  }

  /** Nothing: earlier versions work with this function, too. */
  async down(): Promise<void> {}
}
