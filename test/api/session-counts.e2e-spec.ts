import { jest } from '@jest/globals';
import { ClickHouse } from '../../src/platform/clickhouse/clickhouse.js';
import { EVERYTHING } from '../../src/platform/filters/filter.js';
import { EventQuestions } from '../../src/questions/event-questions.js';
import { CopyRepository } from '../../src/replication/copy.repository.js';
import { SessionCountRepository } from '../../src/sessions/session-count.repository.js';
import { EVERY_SESSION } from '../../src/sessions/session-filter.js';
import { type SessionScope, sessionScope } from '../../src/sessions/session-sql.js';
import {
  type ClickHouseDatabase,
  MAKING_EVENTS,
  newClickHouseDatabase,
} from '../support/worker-clickhouse.js';

/** Sessions of one event each, one a second; every fourth is of the application `blog`, the others of `shop`. */
const SESSIONS = 320_000;
const CHUNK_SIZE = 40_000;
const START = Date.UTC(2026, 0, 1) * 1000;

const at = (second: number): bigint => BigInt(START + second * 1_000_000);
/** The sessions from one number to another, inclusive. */
const span = (from: number, to: number) => ({ from: at(from), to: at(to) });
const seenBy = (visible?: string): SessionScope =>
  sessionScope({ filter: EVERYTHING, sessionFilter: EVERY_SESSION }, visible);

describe('The count of sessions', () => {
  let database: ClickHouseDatabase;
  let client: ClickHouse;
  let counts: SessionCountRepository;
  let statements: string[];

  beforeAll(async () => {
    database = await newClickHouseDatabase();
    client = new ClickHouse(database.url);
    await new CopyRepository(client).create('events', { source: 'test' });
    // All at once need more memory than a statement may use.
    for (let first = 0; first < SESSIONS; first += CHUNK_SIZE)
      await client.command(
        `INSERT INTO events (id, timestamp, application, category, name, session_id, data_text, batch)
         SELECT generateUUIDv4(), ${START} + number * 1000000, if(number % 4 = 0, 'blog', 'shop'), 'c', 'n',
           'session ' || toString(number), '{}', 1
         FROM numbers(${first}, ${CHUNK_SIZE})`,
        {},
        MAKING_EVENTS,
      );
  });
  afterAll(async () => {
    await client.onApplicationShutdown();
    await database.drop();
  });
  beforeEach(() => {
    // What a caller may see as of when is the business of other specs.
    const questions = new EventQuestions(client, undefined as never);
    const query = jest.spyOn(questions, 'query');
    counts = new SessionCountRepository(questions);
    statements = [];
    query.mockImplementation((name, ...rest) => {
      statements.push(name);
      return EventQuestions.prototype.query.call(questions, name, ...rest);
    });
  });

  const estimated = async (scope: SessionScope, from: number, to: number): Promise<number> => {
    const { count, isEstimate } = await counts.count(scope, span(from, to));
    expect(isEstimate).toBe(true);
    return count;
  };
  const near = (number: number) => ({
    asymmetricMatch: (count: number) => Math.abs(count / number - 1) < 0.1,
  });

  it('is estimated from one look at a sample, which serves the pages that follow', async () => {
    expect(await estimated(seenBy(), 0, SESSIONS)).toEqual(near(320_000));
    expect(statements).toEqual(['count of events', 'distribution of sessions']);
    expect(await estimated(seenBy(), 0, 300_000)).toEqual(near(300_000));
    expect(await estimated(seenBy(), 50_000, 280_000)).toEqual(near(230_000));
    expect(await estimated(seenBy(), -1_000_000, 2_000_000)).toEqual(near(320_000));
    expect(statements).toHaveLength(2);
  });

  it('is of what the caller sees, whoever has asked before', async () => {
    expect(await estimated(seenBy(), 0, SESSIONS)).toEqual(near(320_000));
    expect(await estimated(seenBy('shop'), 0, SESSIONS)).toEqual(near(240_000));
    expect(await counts.count(seenBy('blog'), span(0, SESSIONS))).toEqual({
      count: 80_000,
      isEstimate: false,
    });
  });

  it('is exact where a span has few events, whatever the sample says', async () => {
    expect(await estimated(seenBy(), 0, SESSIONS)).toEqual(near(320_000));
    expect(await counts.count(seenBy(), span(100_000, 250_000))).toEqual({
      count: 150_001,
      isEstimate: false,
    });
    expect(await counts.count(seenBy(), span(7, 8))).toEqual({ count: 2, isEstimate: false });
  });
});
