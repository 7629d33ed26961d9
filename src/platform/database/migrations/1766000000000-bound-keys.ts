import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

const FILES = ['01-keys.sql', '02-event-types.sql', '03-audit.sql'];

/** Binds keys and event types to their application, and adds the audit log. The SQL files beside it are frozen. */
export class BoundKeys1766000000000 implements MigrationInterface {
  name = 'BoundKeys1766000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const file of FILES)
      await runner.query(await readFile(join(import.meta.dirname, '1766000000000-bound-keys', file), 'utf8'));
  }

  down(): Promise<void> {
    return Promise.reject(
      new Error('Bound keys cannot be reverted: they would read and change all applications.'),
    );
  }
}
