import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { EventTypeVersionEntity } from '../../src/event-types/event-type-version.entity.js';
import { EventEntity } from '../../src/events/event.entity.js';
import { dataSourceOptions } from '../../src/platform/database/data-source-options.js';
import { migrate } from '../../src/platform/database/migrate.js';
import { RejectionEntity } from '../../src/rejections/rejection.entity.js';
import { OwnPostgres } from '../support/servers.js';

const ENTITIES = [EventEntity, EventTypeVersionEntity, RejectionEntity];

/** The rows that version 0.1 leaves in the table `migrations`. */
const VERSION_0_1 = [
  [1764000000000, 'CreateEvents1764000000000'],
  [1764010000000, 'CreateApplications1764010000000'],
  [1764200000000, 'CreateEventTypes1764200000000'],
  [1764350000000, 'CreateSessions1764350000000'],
  [1764350000001, 'GatherSessions1764350000001'],
  [1764360000000, 'CreateEventCounts1764360000000'],
  [1764360000001, 'CountEvents1764360000001'],
  [1764370000000, 'FoldSessionsFaster1764370000000'],
  [1764380000000, 'EndSumsOfDaysEachHalfHour1764380000000'],
] as const;

const MIGRATED = [
  'InitialSchema1765000000000',
  'BoundKeys1766000000000',
  'ApplicationLimits1766100000000',
  'Replication1766200000000',
  'CountsInClickhouse1766300000000',
  'SessionsInClickhouse1766400000000',
  'FewerIndexes1766500000000',
  'Dialects1766600000000',
  'CopiedBytes1766700000000',
];

const initialSchemaFile = (name: string): string =>
  readFileSync(
    join(import.meta.dirname, '../../src/platform/database/migrations/1765000000000-initial-schema', name),
    'utf8',
  );

/** Functions which the initial schema has and later migrations drop. */
const DROPPED_FUNCTIONS = [
  'event_count_blocks',
  'fold_event_counts',
  'rebuild_event_counts',
  'note_event_counts',
  'forget_event_counts',
  'fold_sessions',
  'rebuild_sessions',
  'note_stored_sessions',
  'note_removed_sessions',
  'forget_sessions',
].map((name) => `functions/${name}.sql`);

/** Takes back what the migrations after the initial schema changed. */
const UNDO_LATER = `
  DROP TABLE types_in_use;
  DROP FUNCTION note_types_in_use, forget_types_in_use CASCADE;
  ${['05-sessions.sql', '06-event-counts.sql', ...DROPPED_FUNCTIONS].map(initialSchemaFile).join('\n')}
  CREATE TRIGGER events_count_stored AFTER INSERT ON events
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_event_counts();
  CREATE TRIGGER events_count_removed AFTER DELETE ON events
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_event_counts();
  CREATE TRIGGER events_count_emptied AFTER TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION forget_event_counts();
  CREATE TRIGGER events_session_stored AFTER INSERT ON events
  REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_stored_sessions();
  CREATE TRIGGER events_session_removed AFTER DELETE ON events
  REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_removed_sessions();
  CREATE TRIGGER events_session_emptied AFTER TRUNCATE ON events FOR EACH STATEMENT EXECUTE FUNCTION forget_sessions();
  CREATE INDEX events_name ON events (name, timestamp, id);
  CREATE INDEX events_type ON events (category, name, timestamp, id);
  DROP FUNCTION log_changed_events, log_emptied_events CASCADE;
  DROP TABLE replication_log, replication_state;
  ALTER TABLE rejections DROP COLUMN dialect;
  ALTER TABLE events DROP COLUMN clock_skew_ms;
  ALTER TABLE applications DROP COLUMN types_limit, DROP COLUMN past_limit;
  DROP TABLE audit;
  ALTER TABLE event_type_versions DROP CONSTRAINT event_type_versions_pkey;
  DELETE FROM event_type_versions WHERE application <> 'default';
  ALTER TABLE event_type_versions DROP COLUMN application, ADD PRIMARY KEY (category, name, version);
  ALTER TABLE keys
    DROP COLUMN all_applications, DROP COLUMN expires_at, DROP COLUMN last_used_at, DROP CONSTRAINT keys_scope_check,
    ADD CONSTRAINT keys_scope_check CHECK (scope IN ('ingest', 'read', 'admin'));
  DELETE FROM migrations WHERE name <> 'InitialSchema1765000000000'`;

describe('The database schema', () => {
  let postgres: OwnPostgres;
  let dataSource: DataSource;

  beforeAll(async () => {
    postgres = await OwnPostgres.start();
    dataSource = await new DataSource({
      ...dataSourceOptions(postgres.url),
      entities: ENTITIES,
    }).initialize();
    await migrate(dataSource);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await postgres.close();
  });

  const names = async (): Promise<string[]> => {
    const rows = await dataSource.query<{ name: string }[]>('SELECT name FROM migrations ORDER BY id');
    return rows.map(({ name }) => name);
  };
  /** Takes the schema back to version 0.1. */
  const downgrade = async (rows: readonly (readonly [number, string])[]): Promise<void> => {
    await dataSource.query(UNDO_LATER);
    await dataSource.query(`
      ALTER TABLE events DROP CONSTRAINT events_unique;
      CREATE UNIQUE INDEX events_unique ON events (session_id, timestamp, application, category, name, data_sha256);
      DELETE FROM migrations`);
    for (const [timestamp, name] of rows)
      await dataSource.query('INSERT INTO migrations (timestamp, name) VALUES ($1, $2)', [timestamp, name]);
  };

  const differences = async (): Promise<string[]> => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    return upQueries.map(({ query }) => query);
  };

  it('is the same in the entities and in the migrations', async () => {
    expect(await differences()).toEqual([]);
  });

  it('stays as it is when the migrations run again', async () => {
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
  });

  it('of version 0.2 binds its keys, and gives each application a copy of each version of each event type', async () => {
    await dataSource.query(UNDO_LATER);
    await dataSource.query(`
      INSERT INTO applications (name) VALUES ('web');
      INSERT INTO keys (id, application, scope, hash, prefix) VALUES (gen_random_uuid(), 'web', 'admin', 'h', 'p');
      INSERT INTO event_type_versions (category, name, version, schema, mode, changed_by, changed_at) VALUES
        ('c', 'n', 1, '{}', 'enforce', 'web', '2026-01-01Z'), ('c', 'n', 2, NULL, NULL, 'web', '2026-01-02Z')`);
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
    expect(await differences()).toEqual([]);
    expect(await dataSource.query('SELECT scope, all_applications, expires_at FROM keys')).toEqual([
      { scope: 'admin', all_applications: false, expires_at: null },
    ]);
    const types = await dataSource.query<unknown[]>(
      `SELECT application, category, name, version, schema, mode, changed_at = '2026-01-01Z' AS first
       FROM event_type_versions ORDER BY application, version`,
    );
    const versions = [
      { category: 'c', name: 'n', version: 1, schema: '{}', mode: 'enforce', first: true },
      { category: 'c', name: 'n', version: 2, schema: null, mode: null, first: false },
    ];
    expect(types).toEqual(
      ['default', 'web'].flatMap((application) => versions.map((version) => ({ application, ...version }))),
    );
    await dataSource.query(
      `DELETE FROM event_type_versions; DELETE FROM keys; DELETE FROM applications WHERE name = 'web'`,
    );
  });

  it('of version 0.2 keeps of its counts which types the events of each application use, and notes new ones', async () => {
    await dataSource.query(UNDO_LATER);
    const store = (application: string, names: string[]): Promise<unknown> =>
      dataSource.query(
        `INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
         SELECT gen_random_uuid(), $1, 's', 'c', name, '{}', clock_timestamp(), sha256(name::bytea) FROM unnest($2::text[]) AS name`,
        [application, names],
      );
    await store('web', ['folded', 'removed']);
    await dataSource.query(`
      SELECT fold_event_counts(array_agg(changes)) FROM event_count_changes AS changes;
      TRUNCATE event_count_changes;
      DELETE FROM events WHERE name = 'removed'`);
    await store('web', ['pending', 'folded']);
    await store('app', ['pending']);
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
    await store('web', ['new', 'pending', 'new']);
    await store('web', ['new']);
    const types = async (): Promise<string[]> =>
      (
        await dataSource.query<{ type: string }[]>(
          `SELECT concat_ws(' ', application, category, name) AS type FROM types_in_use ORDER BY 1`,
        )
      ).map(({ type }) => type);
    expect(await types()).toEqual([
      'app c pending',
      'web c folded',
      'web c new',
      'web c pending',
      'web c removed',
    ]);
    await dataSource.query('TRUNCATE events');
    expect(await types()).toEqual([]);
  });

  it('is not migrated while a reader holds the events for long, and others go on storing and reading meanwhile', async () => {
    await dataSource.query(UNDO_LATER);
    const reader = new pg.Client({ connectionString: postgres.url });
    await reader.connect();
    await reader.query('BEGIN; SELECT FROM events');
    await expect(migrate(dataSource)).rejects.toThrow('lock timeout');
    expect(await names()).toEqual(['InitialSchema1765000000000']);
    await reader.end();
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
  });

  it('of version 0.2 loses its sessions, also those that are not folded, and stores events as ever', async () => {
    await dataSource.query(UNDO_LATER);
    const store = (name: string): Promise<unknown> =>
      dataSource.query(
        `INSERT INTO events (id, application, session_id, category, name, data, timestamp, data_sha256)
         VALUES (gen_random_uuid(), 'default', 's', 'c', $1::text, '{}', clock_timestamp(), sha256($1::text::bytea))`,
        [name],
      );
    await store('folded');
    await dataSource.query('SELECT fold_sessions(10)');
    await store('pending');
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
    await store('after');
    const left = await dataSource.query<unknown[]>(
      `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname ~ '^(session|pending_sessions)'
       UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname LIKE '%session%'`,
    );
    expect(left).toEqual([]);
    await dataSource.query('TRUNCATE events');
  });

  it('of version 0.1 is recognised, and its data stay', async () => {
    await dataSource.query("INSERT INTO applications (name) VALUES ('shop')");
    await downgrade(VERSION_0_1);
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
    const applications = await dataSource.query<{ name: string }[]>(
      'SELECT name FROM applications ORDER BY 1',
    );
    expect(applications).toEqual([{ name: 'default' }, { name: 'shop' }]);
    expect(await differences()).toEqual([]);
  });

  it('of version 0.1 is left as it was when it cannot be adopted, and the next attempt starts afresh', async () => {
    await downgrade(VERSION_0_1);
    await dataSource.query('ALTER INDEX events_unique RENAME TO events_renamed');
    await expect(migrate(dataSource)).rejects.toThrow('index "events_unique" does not exist');
    expect(await names()).toEqual(VERSION_0_1.map(([, name]) => name));
    await dataSource.query('ALTER INDEX events_renamed RENAME TO events_unique');
    await migrate(dataSource);
    expect(await names()).toEqual(MIGRATED);
  });

  it('of a newer version is refused, and nothing changes', async () => {
    await dataSource.query("INSERT INTO migrations (timestamp, name) VALUES (1, 'FromTheFuture1')");
    await expect(migrate(dataSource)).rejects.toThrow(
      'The schema of the database is of a newer version of The Eye. Start that version, or restore a backup. This version does not know: FromTheFuture1.',
    );
    expect(await names()).toEqual([...MIGRATED, 'FromTheFuture1']);
    await dataSource.query("DELETE FROM migrations WHERE name = 'FromTheFuture1'");
  });

  it('belongs to a role that is not a superuser, also on a server of a version whose role was one', async () => {
    const owners = (): Promise<Record<string, unknown>[]> =>
      dataSource.query(`
        SELECT DISTINCT pg_get_userbyid(owner) AS owner, rolsuper FROM (
          SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace
          UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace
          UNION ALL SELECT typowner FROM pg_type WHERE typnamespace = 'public'::regnamespace
          UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()
        ) AS objects JOIN pg_roles ON pg_roles.oid = owner`);
    expect(await owners()).toEqual([{ owner: 'the_eye', rolsuper: false }]);
    await postgres.makeRoleSuperuser();
    expect(await owners()).toEqual([{ owner: 'the_eye', rolsuper: true }]);
    await postgres.stop();
    await postgres.start();
    expect(await owners()).toEqual([{ owner: 'the_eye', rolsuper: false }]);
    await migrate(dataSource);
    await dataSource.query('VACUUM types_in_use');
  });

  it('from between two versions is refused, and nothing changes', async () => {
    const rows = VERSION_0_1.slice(0, 3);
    await downgrade(rows);
    await expect(migrate(dataSource)).rejects.toThrow(
      'The database has 3 of the 9 migrations of version 0.1. Start the last commit of 0.1 (713db8e) on it once, then this version.',
    );
    expect(await names()).toEqual(rows.map(([, name]) => name));
  });
});
