import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FOLDER = join(import.meta.dirname, '1766400000000-sessions-in-clickhouse');

/** Drops the summaries of sessions, which ClickHouse has. */
export class SessionsInClickhouse1766400000000 implements MigrationInterface {
  name = 'SessionsInClickhouse1766400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(await readFile(join(FOLDER, '01-sessions.sql'), 'utf8'));
  }

  down(): Promise<void> {
    return Promise.reject(
      new Error('The sessions are gone: another version would have to sum up all events again.'),
    );
  }
}
