import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766300000000-counts-in-clickhouse');

/** Drops the counts of events, which ClickHouse answers. Of them, the types in use of each application remain. */
export class CountsInClickhouse1766300000000 implements MigrationInterface {
  name = 'CountsInClickhouse1766300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-counts.sql'), 'utf8'));
  }

  down(): Promise<void> {
    return Promise.reject(
      new Error('The counts are gone: another version would have to count all events again.'),
    );
  }
}
