import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The applications that are trusted, and their keys.
 *
 * Of a key only its SHA-256 is kept: 256 random bits need no slow hash, and the unique index finds it in one step. Events
 * name their application without a foreign key, which would cost each of them a look-up.
 */
export class CreateApplications1764010000000 implements MigrationInterface {
  name = 'CreateApplications1764010000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE applications (
        name text PRIMARY KEY,
        created_at timestamptz(6) NOT NULL DEFAULT now()
      )`);
    await runner.query(`INSERT INTO applications (name) VALUES ('default')`);
    await runner.query(`
      CREATE TABLE keys (
        id uuid PRIMARY KEY,
        application text NOT NULL REFERENCES applications,
        scope text NOT NULL CHECK (scope IN ('ingest', 'read', 'admin')),
        hash bytea NOT NULL,
        prefix text NOT NULL,
        allowed_origins text[] NOT NULL DEFAULT '{}',
        rate_limit integer CHECK (rate_limit > 0),
        created_at timestamptz(6) NOT NULL DEFAULT now(),
        revoked_at timestamptz(6)
      )`);
    await runner.query(`CREATE UNIQUE INDEX keys_hash ON keys (hash)`);
    await runner.query(`CREATE INDEX keys_application ON keys (application, created_at, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE keys`);
    await runner.query(`DROP TABLE applications`);
  }
}
