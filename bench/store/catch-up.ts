import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createClickHouseClient } from '../../src/platform/clickhouse/clickhouse-client.js';
import { parseClickHouseUrl } from '../../src/platform/config/clickhouse-url.js';
import { COPIED_COLUMNS, DEFINITION, EVENTS } from '../../src/replication/copy-table.js';
import { onTheEye, withPeer } from '../../testing/on-the-eye.js';
import { serversOf } from '../../testing/processes.js';
import { formatNumber, table } from '../../testing/table.js';
import type { TheEye } from '../../testing/the-eye.js';
import { FILL } from '../lists/fill.js';
import { waitForCopy } from '../support/backlog.js';
import {
  type Cpu,
  cpuOf,
  cpuPerEvent,
  cpuSeconds,
  peakMemoryOf,
  resetPeakMemoryOf,
} from '../support/processes.js';
import { logProgress } from '../support/progress.js';

/** Events of a statement that stores them, as a worker's with a full queue. */
const EVENTS_PER_STATEMENT = 1000;

/** Rows of an INSERT of the limit. */
const ROWS_PER_INSERT = 20_000;

const POLL_INTERVAL_MS = 50;

interface Measured {
  readonly seconds: number;
  /** Microseconds of CPU time an event. */
  readonly cpu: Cpu;
  /** Peak resident bytes of ClickHouse. */
  readonly memory: number;
}

/**
 * Measures how fast a worker copies events that are stored already to ClickHouse, beside bare INSERTs of the same rows into a
 * table of the same definition in the same server.
 * @returns a table
 */
export async function measureCatchUp(quick: boolean): Promise<string> {
  const events = quick ? 200_000 : 1_000_000;
  return onTheEye(
    async (eye) => {
      // A worker makes the first copy, of nothing.
      await withPeer(eye, { ROLE: 'worker' }, () => waitForCopy(eye));
      logProgress(`storing ${events.toLocaleString('en')} events`);
      for (let from = 0; from < events; from += EVENTS_PER_STATEMENT)
        await eye.sql(FILL, [from, from + EVENTS_PER_STATEMENT - 1, events]);
      logProgress('copying them');
      const copied = await withPeer(eye, { ROLE: 'worker', LOG_LEVEL: 'error' }, (worker) =>
        measured(events, [eye, worker], () => logEmptied(eye)),
      );
      logProgress('inserting the same rows');
      const inserted = await insertBare(eye, events);
      const row = (name: string, { seconds, cpu, memory }: Measured): string[] => [
        name,
        ...[events / seconds, cpu.node, cpu.postgres, cpu.clickhouse, memory / 1024 ** 2].map(formatNumber),
      ];
      const ratio = formatNumber(inserted.seconds / copied.seconds);
      return `${table(
        ['what', 'events/s', 'CPU of Node, µs an event', 'PostgreSQL', 'ClickHouse', 'its peak memory, MiB'],
        [row('the worker, catching up', copied), row('limit: INSERT, one after the other', inserted)],
      )}\nThe worker copies ${ratio} times as fast as bare INSERTs.`;
    },
    { ROLE: 'api' },
  );
}

/** Resolves once nothing waits to be copied. One connection, because each new one costs as much as many events. */
async function logEmptied({ databaseUrl }: TheEye): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    while ((await client.query('SELECT FROM replication_log LIMIT 1')).rowCount !== 0)
      await sleep(POLL_INTERVAL_MS);
  } finally {
    await client.end();
  }
}

async function measured(
  events: number,
  eyes: [TheEye, ...TheEye[]],
  work: () => Promise<unknown>,
): Promise<Measured> {
  const [first, ...peers] = eyes;
  const { clickhouse } = await serversOf(first.dataDir);
  await resetPeakMemoryOf(clickhouse);
  const read = async (): Promise<Cpu> => {
    const cpu = await cpuOf(first);
    for (const { pid } of peers) cpu.node += await cpuSeconds(pid);
    return cpu;
  };
  const before = await read();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = cpuPerEvent(before, await read(), events);
  return { seconds, cpu, memory: await peakMemoryOf(clickhouse) };
}

/** Inserts what the worker has copied, in batches of as many rows. */
async function insertBare(eye: TheEye, events: number): Promise<Measured> {
  const client = createClickHouseClient(parseClickHouseUrl(eye.clickhouseUrl));
  const columns = COPIED_COLUMNS.filter((name) => name !== 'typed').join(', ');
  try {
    const batches: string[] = [];
    for (let from = 0; from < events; from += ROWS_PER_INSERT) {
      const result = await client.query({
        query: `SELECT ${columns} FROM ${EVENTS} ORDER BY timestamp, id LIMIT ${from}, ${ROWS_PER_INSERT}`,
        format: 'JSONEachRow',
      });
      batches.push(await result.text());
    }
    await client.command({ query: `CREATE TABLE bare ${DEFINITION}` });
    return await measured(events, [eye], async () => {
      for (const rows of batches) {
        const values = Readable.from([rows], { objectMode: false });
        const { stream } = await client.exec({
          query: `INSERT INTO bare (${columns}) FORMAT JSONEachRow`,
          values,
        });
        for await (const part of stream) void part;
      }
    });
  } finally {
    await client.close();
  }
}
