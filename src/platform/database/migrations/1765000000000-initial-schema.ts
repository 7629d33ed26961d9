import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/** In the order in which they depend on each other. */
const FILES = [
  '01-events.sql',
  '02-rejections.sql',
  '03-applications.sql',
  '04-event-types.sql',
  '05-sessions.sql',
  '06-event-counts.sql',
  'functions/fold_sessions.sql',
  'functions/rebuild_sessions.sql',
  'functions/note_stored_sessions.sql',
  'functions/note_removed_sessions.sql',
  'functions/forget_sessions.sql',
  'functions/event_count_blocks.sql',
  'functions/fold_event_counts.sql',
  'functions/rebuild_event_counts.sql',
  'functions/note_event_counts.sql',
  'functions/forget_event_counts.sql',
  '07-triggers.sql',
];

/** The whole schema of version 0.2. The SQL files beside it are frozen: a later change is a migration of its own. */
export class InitialSchema1765000000000 implements MigrationInterface {
  name = 'InitialSchema1765000000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const file of FILES)
      await runner.query(
        await readFile(join(import.meta.dirname, '1765000000000-initial-schema', file), 'utf8'),
      );
  }

  down(): Promise<void> {
    return Promise.reject(new Error('The initial schema cannot be reverted: that would delete every event.'));
  }
}
