import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The events, and what was refused: examples of it, and how much of it.
 *
 * Each filter of a list has an index that ends in its order, e.g. (timestamp, id), so that a page is read off
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
        event_id uuid,
        application text NOT NULL,
        code text NOT NULL,
        errors jsonb NOT NULL,
        event text,
        whole boolean NOT NULL,
        outcome text NOT NULL,
        session_id text,
        category text,
        name text,
        rejected_at timestamptz(6) NOT NULL
      )`);
    // However often its job runs, an event is set aside once.
    await runner.query(
      `CREATE UNIQUE INDEX rejections_set_aside ON rejections (event_id) WHERE outcome = 'set_aside'`,
    );
    await runner.query(`CREATE INDEX rejections_rejected_at ON rejections (rejected_at, id)`);
    await runner.query(`CREATE INDEX rejections_application ON rejections (application, rejected_at, id)`);
    await runner.query(
      `CREATE INDEX rejections_application_code ON rejections (application, code, rejected_at, id)`,
    );
    await runner.query(`CREATE INDEX rejections_code ON rejections (code, rejected_at, id)`);
    await runner.query(`CREATE INDEX rejections_outcome ON rejections (outcome, rejected_at, id)`);
    await runner.query(`CREATE INDEX rejections_session ON rejections (session_id, rejected_at, id)`);
    await runner.query(`CREATE INDEX rejections_category ON rejections (category, rejected_at, id)`);
    await runner.query(`CREATE INDEX rejections_name ON rejections (name, rejected_at, id)`);
    await runner.query(`CREATE INDEX rejections_type ON rejections (category, name, rejected_at, id)`);

    // How much was refused, exactly, whether or not it is kept; '' stands for a category or a name that did not come.
    await runner.query(`
      CREATE TABLE rejection_counts (
        minute timestamptz(0) NOT NULL,
        application text NOT NULL,
        code text NOT NULL,
        category text NOT NULL,
        name text NOT NULL,
        count bigint NOT NULL
      )`);
    await runner.query(
      `CREATE UNIQUE INDEX rejection_counts_unique ON rejection_counts (minute, application, code, category, name)`,
    );
    // What has been written, so that a write whose answer was lost is not counted twice.
    await runner.query(`
      CREATE TABLE rejection_writes (
        id uuid PRIMARY KEY,
        written_at timestamptz(6) NOT NULL DEFAULT now()
      )`);
    await runner.query(`CREATE INDEX rejection_writes_written_at ON rejection_writes (written_at)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE rejection_writes, rejection_counts, rejections`);
    await runner.query(`DROP TABLE events`);
  }
}
