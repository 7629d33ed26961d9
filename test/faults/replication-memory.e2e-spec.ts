import { Random } from '../../testing/random.js';
import { eventually, TheEye } from '../../testing/the-eye.js';
import { AGREES, Copy } from '../support/replication.js';

const EVENTS_PER_BODY = 1000;
const NAMES = 100_000;

/** On a slow machine, these events are copied again in minutes. */
const REBUILD_TIMEOUT_MS = 360_000;

const random = new Random(1);
const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
const keyed = (count: number, key: () => string, value: () => unknown): Record<string, unknown> =>
  Object.fromEntries(times(count, () => [key(), value()]));

const scalar = (): unknown =>
  random.of([random.below(1e6), `text ${random.below(1e6)}`, random.below(1e6) / 7, random.chance(0.5)]);
const nested = (depth: number): unknown => (depth === 0 ? scalar() : [nested(depth - 1)]);
const anyName = (): string => `name ${random.below(NAMES)}`;

/** Payloads for each of which ClickHouse would make hundreds of columns, or need many times the memory of the request. */
const PAYLOADS: [string, number, (index: number) => object][] = [
  [
    'of many event types with properties of their own',
    8000,
    (index) => ({
      path: `/a/${random.below(1000)}`,
      price: random.below(1000) / 100,
      device: { os: 'os', model: `m${random.below(100)}` },
      ...Object.fromEntries(times(8, (property) => [`type ${index % 12}, ${property}`, scalar()])),
    }),
  ],
  ['with ids as keys', 4000, () => keyed(40, anyName, scalar)],
  [
    'whose properties have many types',
    4000,
    () =>
      keyed(
        30,
        () => `property ${random.below(64)}`,
        () => nested(random.below(6)),
      ),
  ],
  [
    'with ids as keys of objects in arrays',
    2000,
    () =>
      keyed(
        4,
        () => `list ${random.below(100)}`,
        () => times(2, () => keyed(10, anyName, scalar)),
      ),
  ],
  ['whose texts PostgreSQL compresses', 1000, (index) => ({ text: 'x'.repeat(4000), index })],
  ['whose numbers PostgreSQL writes out', 500, (index) => ({ list: times(200, () => 1e300), index })],
];

describe('The copying of events', () => {
  let eye: TheEye;
  let copy: Copy;
  let sent = 0;
  beforeAll(async () => {
    eye = await TheEye.start();
    copy = new Copy(eye);
  });
  afterAll(() => eye.close());

  const send = async (count: number, data: (index: number) => object): Promise<void> => {
    const timestamp = new Date().toISOString();
    for (let start = 0; start < count; start += EVENTS_PER_BODY) {
      const events = times(Math.min(EVENTS_PER_BODY, count - start), (index) => ({
        session_id: `session ${index % 50}`,
        category: 'memory',
        name: 'payload',
        timestamp,
        data: data(start + index),
      }));
      // As a sender does: events with timestamps are stored once, however often they are sent.
      await eventually(async () =>
        expect(await eye.post('/events/', events)).toMatchObject({
          status: 202,
          body: { accepted: events.length },
        }),
      );
    }
  };

  it.each(PAYLOADS)('goes on after events %s', async (_, count, data) => {
    await send(count, data);
    sent += count;
    await eye.drained();
    await copy.caughtUp();
    expect(await copy.count()).toBe(sent);
  });

  it(
    'has lost none of their payloads, nor when the copy is made again',
    async () => {
      const empty = `SELECT count() FROM events WHERE empty(JSONAllPaths(data))`;
      expect(await copy.ask(empty)).toBe('0\n');
      const newCopy = `SELECT FROM replication_state WHERE copy_schema <> 'of an earlier version' AND next_copy IS NULL`;
      await eye.sql(`UPDATE replication_state SET copy_schema = 'of an earlier version'`);
      await eventually(async () => expect(await eye.sql(newCopy)).toHaveLength(1), REBUILD_TIMEOUT_MS);
      await copy.caughtUp();
      expect(await copy.count()).toBe(sent);
      expect(await copy.ask(empty)).toBe('0\n');
      expect(await copy.verify()).toMatch(AGREES);
    },
    2 * REBUILD_TIMEOUT_MS,
  );
});
