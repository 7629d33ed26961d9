import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766500000000-fewer-indexes');

/** Drops the indexes of events that only questions needed, which ClickHouse answers. */
export class FewerIndexes1766500000000 implements MigrationInterface {
  name = 'FewerIndexes1766500000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-indexes.sql'), 'utf8'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX events_name ON events (name, timestamp, id);
      CREATE INDEX events_type ON events (category, name, timestamp, id)`);
  }
}
