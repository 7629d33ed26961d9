import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Every version of every event type; nothing in it is ever changed. The schema is text: jsonb would sort its keys and
 * respell its numbers. In a version that is a deletion, schema and mode are null.
 */
export class CreateEventTypes1764200000000 implements MigrationInterface {
  name = 'CreateEventTypes1764200000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE event_type_versions (
        category text NOT NULL,
        name text NOT NULL,
        version integer NOT NULL,
        schema text,
        mode text,
        changed_by text NOT NULL,
        changed_by_key text,
        changed_at timestamptz(6) NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (category, name, version)
      )`);
    await runner.query(`CREATE INDEX event_type_versions_changed_at ON event_type_versions (changed_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE event_type_versions`);
  }
}
