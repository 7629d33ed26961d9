import { type ClickHouseClient, ClickHouseError } from '@clickhouse/client';
import { setTimeout as wait } from 'node:timers/promises';
import { createClickHouseClient } from '../../src/platform/clickhouse/clickhouse-client.js';
import { parseClickHouseUrl } from '../../src/platform/config/clickhouse-url.js';
import { EVENTS } from '../../src/replication/copy-table.js';
import { serversOf } from '../../testing/processes.js';
import type { TheEye } from '../../testing/the-eye.js';
import { cpuSeconds, peakMemoryOf, residentMemoryOf, resetPeakMemoryOf } from '../support/processes.js';

const POLL_INTERVAL_MS = 2000;

/** Merging is over after so many looks in a row without a merge. */
const QUIET_LOOKS = 5;

/** ClickHouse's codes of a statement that needs too much time or memory. */
const TOO_LARGE = new Set(['159', '241']);

/** Bytes of an event on ClickHouse's disk. */
export interface CopySize {
  /** Everything in the folder of the table. */
  total: number;
  columns: { name: string; bytes: number }[];
  projections: { name: string; bytes: number }[];
}

/** The embedded ClickHouse of an Eye, asked directly. */
export class Engine {
  private constructor(
    private readonly client: ClickHouseClient,
    private readonly pid: number,
  ) {}

  static async of(eye: TheEye): Promise<Engine> {
    const { clickhouse } = await serversOf(eye.dataDir);
    return new Engine(createClickHouseClient(parseClickHouseUrl(eye.clickhouseUrl)), clickhouse);
  }

  async run(sql: string): Promise<void> {
    await this.client.command({ query: sql });
  }

  async query<Row>(sql: string): Promise<Row[]> {
    return (await this.client.query({ query: sql, format: 'JSONEachRow' })).json<Row>();
  }

  /** Runs a question. @returns false if it needs more time or memory than the engine has for a statement */
  async succeeds(sql: string): Promise<boolean> {
    try {
      await this.query(sql);
      return true;
    } catch (error) {
      if (error instanceof ClickHouseError && TOO_LARGE.has(error.code)) return false;
      throw error;
    }
  }

  /** Resolves once no parts are being merged any more. */
  async merged(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_LOOKS; await wait(POLL_INTERVAL_MS)) {
      const [row] = await this.query<{ n: string }>('SELECT count() AS n FROM system.merges');
      quiet = row?.n === '0' ? quiet + 1 : 0;
    }
  }

  async size(): Promise<CopySize> {
    const active = `active AND database = currentDatabase() AND table = '${EVENTS}'`;
    const [whole] = await this.query<{ events: string; bytes: string }>(
      `SELECT sum(rows) AS events, sum(bytes_on_disk) AS bytes FROM system.parts WHERE ${active}`,
    );
    const events = Number(whole?.events);
    const parts = async (sql: string): Promise<{ name: string; bytes: number }[]> =>
      (
        await this.query<{ name: string; bytes: string }>(
          `${sql} WHERE ${active} GROUP BY name ORDER BY bytes DESC`,
        )
      ).map(({ name, bytes }) => ({ name, bytes: Number(bytes) / events }));
    return {
      total: Number(whole?.bytes) / events,
      columns: await parts(
        'SELECT column AS name, sum(column_bytes_on_disk) AS bytes FROM system.parts_columns',
      ),
      projections: await parts('SELECT name, sum(bytes_on_disk) AS bytes FROM system.projection_parts'),
    };
  }

  cpu(): Promise<number> {
    return cpuSeconds(this.pid);
  }

  memory(): Promise<number> {
    return residentMemoryOf(this.pid);
  }

  peakMemory(): Promise<number> {
    return peakMemoryOf(this.pid);
  }

  resetPeakMemory(): Promise<void> {
    return resetPeakMemoryOf(this.pid);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
