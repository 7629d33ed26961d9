import { availableParallelism } from 'node:os';
import { QuestionTooLargeError } from '../../src/platform/clickhouse/clickhouse-errors.js';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import { QUESTIONS_AT_ONCE } from '../../src/platform/embedded/clickhouse/chdb.js';
import { ClickHouseQuestions } from '../../src/platform/questions/questions.js';
import { eventually } from '../../testing/the-eye.js';
import { OwnClickHouse } from '../support/servers.js';

/** This is about memory, on a machine of any speed. */
const PATIENT_MS = 60_000;

const MEGABYTE = 1024 * 1024;

/**
 * Takes 60 MB, and holds them for 20 ms for each of 14 blocks, so that those asked at once need them at once, however the machine
 * schedules them.
 */
const HEAVY = `
  SELECT {asked:UInt8} AS asked, sum(times + ignore(sleep(0.02))) AS numbers
  FROM (SELECT number % 900000 AS n, count() AS times FROM numbers(1000000) GROUP BY n)
  SETTINGS group_by_two_level_threshold = 0, group_by_two_level_threshold_bytes = 0`;

describe('The embedded ClickHouse with memory for one question only', () => {
  let server: OwnClickHouse;
  let clickhouse: ClickHouse;
  beforeAll(async () => {
    server = await OwnClickHouse.start({ max_server_memory_usage: 115 * MEGABYTE });
    clickhouse = new ClickHouse(server.url);
  });
  afterAll(async () => {
    await clickhouse.onApplicationShutdown();
    await server.close();
  });

  const memoryErrors = async (): Promise<number> => {
    const [row] = await clickhouse.query<{ errors: string }>(
      `SELECT sum(value) AS errors FROM system.errors WHERE name = 'MEMORY_LIMIT_EXCEEDED'`,
    );
    return Number(row?.errors);
  };

  it('answers sixteen questions at once, of which two processes send two each, while events are copied', async () => {
    await clickhouse.command('CREATE TABLE copied (n Int64) ENGINE = MergeTree ORDER BY n');
    const admission = new ClickHouseQuestions(2 * QUESTIONS_AT_ONCE);
    const questions = Array.from({ length: 16 }, (_, asked) =>
      admission.ask({}, () => clickhouse.query(HEAVY, { asked }, { timeoutMs: PATIENT_MS }), {
        queueTimeoutMs: PATIENT_MS,
      }),
    );
    // As a batch of the copying is, an insert that found no memory beside the questions is repeated.
    const inserts = Array.from({ length: 8 }, (_, n) =>
      eventually(() => clickhouse.insert('copied', `{"n":${n}}\n`)),
    );
    const answers = await Promise.all(questions);
    await Promise.all(inserts);
    expect(answers).toEqual(questions.map((_, asked) => [{ asked, numbers: '1000000' }]));
    expect(await clickhouse.query('SELECT count() AS inserts FROM copied')).toEqual([{ inserts: '8' }]);
    // Together they needed more than there is.
    expect(await memoryErrors()).toBeGreaterThan(0);
  });

  it('refuses a question that needs more than its own share even alone, by name and at once', async () => {
    const settings = { max_memory_usage: 20 * MEGABYTE };
    const before = await memoryErrors();
    const asked = clickhouse.query(HEAVY, { asked: 1 }, { settings });
    await expect(asked).rejects.toThrow(QuestionTooLargeError);
    await expect(asked).rejects.toThrow(/max_memory_usage/);
    // With two threads, where there are two cores, and with one.
    expect(await memoryErrors()).toBe(before + Math.min(2, availableParallelism()));
  });
});
