import type { ClickHouseClient } from '@clickhouse/client';
import { createTable, EVENTS } from '../../src/replication/copy-table.js';
import { eventually } from '../../testing/the-eye.js';
import { OwnClickHouse } from '../support/servers.js';

const PARTS = 100;
const EVENTS_PER_PART = 9000;

/** Like those of a website. */
const SOME_EVENTS = `
  SELECT generateUUIDv4(number) AS id, 1700000000000000 + number * 100000 AS timestamp, 'shop' AS application,
    'page interaction' AS category, 'pageview' AS name, 'session-' || toString(intDiv(number, 20)) AS session_id,
    '{"host":"www.example.com","path":"/products/' || toString(number % 5000) || '","price":' || toString(number % 100)
      || ',"tags":["spring","sale"],"visitor":"' || hex(sipHash128(number)) || '"}' AS data_text, 1 AS batch
  FROM numbers(${PARTS * EVENTS_PER_PART})`;

describe('The embedded ClickHouse', () => {
  let server: OwnClickHouse;
  let client: ClickHouseClient;
  beforeAll(async () => {
    server = await OwnClickHouse.start();
    client = server.client();
  });
  afterAll(async () => {
    await client.close();
    await server.close();
  });

  const number = async (query: string): Promise<number> => {
    const [row] = await (await client.query({ query, format: 'JSONEachRow' })).json<{ n: string }>();
    return Number(row?.n);
  };
  const parts = (): Promise<number> =>
    number(`SELECT count() AS n FROM system.parts WHERE table = '${EVENTS}' AND active`);

  it('merges the hundred parts of a burst of events within its memory', async () => {
    await client.command({ query: createTable(EVENTS, { source: 'burst' }) });
    await client.command({ query: `SYSTEM STOP MERGES ${EVENTS}` });
    await client.command({
      query: `INSERT INTO ${EVENTS} (id, timestamp, application, category, name, session_id, data_text, batch) ${SOME_EVENTS}`,
      clickhouse_settings: {
        max_block_size: String(EVENTS_PER_PART),
        min_insert_block_size_rows: String(EVENTS_PER_PART),
        min_insert_block_size_bytes: '1',
        max_threads: 1,
      },
    });
    expect(await parts()).toBe(PARTS);
    await client.command({ query: `SYSTEM START MERGES ${EVENTS}` });
    await eventually(async () => expect(await parts()).toBeLessThan(PARTS / 5), 120_000);
    // A merge that needs more than there is fails, and is tried again for ever.
    const failed = `SELECT sum(value) AS n FROM system.errors WHERE name = 'MEMORY_LIMIT_EXCEEDED'`;
    expect(await number(failed)).toBe(0);
    expect(await number(`SELECT count() AS n FROM ${EVENTS}`)).toBe(PARTS * EVENTS_PER_PART);
  });
});
