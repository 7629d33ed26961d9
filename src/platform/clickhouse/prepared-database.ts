import type { ClickHouseAddress } from '../config/clickhouse-url.js';
import { environment } from '../config/environment.js';
import { createClickHouseClient } from './clickhouse-client.js';
import { ClickHouseUnavailableError } from './clickhouse-errors.js';

/** The first version in which projections have settings of their own. */
const MIN_VERSION = [26, 1] as const;

/** The database of the statements: created when it is missing, in a ClickHouse that is new enough. */
export class PreparedDatabase {
  private whenPrepared: Promise<void> | undefined;

  constructor(private readonly address: ClickHouseAddress) {}

  /** Resolves once the database exists. Asks only once, unless that fails. */
  ready(): Promise<void> {
    return (this.whenPrepared ??= this.prepare().catch((error: unknown) => {
      this.whenPrepared = undefined;
      throw error;
    }));
  }

  /** Somebody has removed it: the next statement creates it again. */
  forget(): void {
    this.whenPrepared = undefined;
  }

  private async prepare(): Promise<void> {
    const { database } = this.address;
    // ClickHouse refuses every statement in a database that is missing.
    const client = createClickHouseClient({ ...this.address, database: '' });
    const abort_signal = AbortSignal.timeout(environment.QUERY_TIMEOUT);
    try {
      const result = await client.query({
        query:
          'SELECT version() AS version, name FROM system.databases WHERE name = {name:String} UNION ALL SELECT version(), NULL',
        query_params: { name: database },
        format: 'JSONEachRow',
        abort_signal,
      });
      const rows = await result.json<{ version: string; name: string | null }>();
      requireVersion(rows[0]?.version ?? '');
      if (!rows.some(({ name }) => name === database))
        await client.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}`, abort_signal });
    } finally {
      await client.close();
    }
  }
}

/** @throws ClickHouseUnavailableError */
function requireVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor, minMinor] = MIN_VERSION;
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return;
  throw new ClickHouseUnavailableError(
    `ClickHouse has the version ${version}, and The Eye needs ${MIN_VERSION.join('.')} or later.`,
  );
}
