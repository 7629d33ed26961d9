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
    expect(await names()).toEqual(['InitialSchema1765000000000']);
  });

  it('of version 0.1 is recognised, and its data stay', async () => {
    await dataSource.query("INSERT INTO applications (name) VALUES ('shop')");
    await downgrade(VERSION_0_1);
    await migrate(dataSource);
    expect(await names()).toEqual(['InitialSchema1765000000000']);
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
    expect(await names()).toEqual(['InitialSchema1765000000000']);
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
