import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The events and the events that PostgreSQL refused.
 *
 * Each filter of the list has an index that ends in (timestamp, id), the order of the list, so that a page is read off
 * the index without a sort. A session is read off the unique index, which begins with (session_id, timestamp).
 * There is no primary key on `id` alone: every unique index contains session_id and timestamp, so that the table can be
 * partitioned by time and distributed by session later. `id` begins with its timestamp and is found through it.
 */
export class CreateEvents1764000000000 implements MigrationInterface {
  name = 'CreateEvents1764000000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE events (
        id uuid NOT NULL,
        application text NOT NULL,
        session_id text NOT NULL,
        category text NOT NULL,
        name text NOT NULL,
        data jsonb NOT NULL,
        timestamp timestamptz(6) NOT NULL,
        data_sha256 bytea NOT NULL
      )`);
    await runner.query(
      `CREATE UNIQUE INDEX events_unique ON events (session_id, timestamp, application, category, name, data_sha256)`,
    );
    await runner.query(`CREATE INDEX events_application ON events (application, timestamp, id)`);
    await runner.query(`CREATE INDEX events_timestamp ON events (timestamp, id)`);
    await runner.query(`CREATE INDEX events_category ON events (category, timestamp, id)`);
    await runner.query(`CREATE INDEX events_name ON events (name, timestamp, id)`);
    await runner.query(`CREATE INDEX events_type ON events (category, name, timestamp, id)`);

    await runner.query(`
      CREATE TABLE rejections (
        id uuid PRIMARY KEY,
        code text NOT NULL,
        message text NOT NULL,
        event text NOT NULL,
        rejected_at timestamptz(6) NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX rejections_rejected_at ON rejections (rejected_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE rejections`);
    await runner.query(`DROP TABLE events`);
  }
}
