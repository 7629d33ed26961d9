import { eventually, TheEye } from '../../testing/the-eye.js';
import { AGREES, Copy } from '../support/replication.js';

const EVENTS_PER_BODY = 1000;
const NAMES = 100_000;

let seed = 1;
const below = (limit: number): number => {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
  return (seed >>> 8) % limit;
};
const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));
const keyed = (count: number, key: () => string, value: () => unknown): Record<string, unknown> =>
  Object.fromEntries(times(count, () => [key(), value()]));

const ITEMS = [() => below(1e6), () => `text ${below(1e6)}`, () => below(1e6) / 7, () => below(2) === 1];
const scalar = (): unknown => ITEMS[below(ITEMS.length)]?.();
const nested = (depth: number): unknown => (depth === 0 ? scalar() : [nested(depth - 1)]);
const anyName = (): string => `name ${below(NAMES)}`;

/** Payloads for each of which ClickHouse would make hundreds of columns, or need many times the memory of the request. */
const PAYLOADS: [string, number, (index: number) => object][] = [
  [
    'of many event types with properties of their own',
    8000,
    (index) => ({
      path: `/a/${below(1000)}`,
      price: below(1000) / 100,
      device: { os: 'os', model: `m${below(100)}` },
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
        () => `property ${below(64)}`,
        () => nested(below(6)),
      ),
  ],
  [
    'with ids as keys of objects in arrays',
    2000,
    () =>
      keyed(
        4,
        () => `list ${below(100)}`,
        () => times(2, () => keyed(10, anyName, scalar)),
      ),
  ],
  ['whose texts PostgreSQL compresses', 1000, (index) => ({ text: 'x'.repeat(4000), index })],
  ['whose numbers PostgreSQL writes out', 100, (index) => ({ list: times(1000, () => 1e300), index })],
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
      expect(await eye.post('/events/', events)).toMatchObject({
        status: 202,
        body: { accepted: events.length },
      });
    }
  };

  it.each(PAYLOADS)('goes on after events %s', async (_, count, data) => {
    await send(count, data);
    sent += count;
    await eye.drained();
    await copy.caughtUp();
    expect(await copy.count()).toBe(sent);
  });

  it('has lost none of their payloads, nor when the copy is made again', async () => {
    const empty = `SELECT count() FROM events WHERE empty(JSONAllPaths(data))`;
    expect(await copy.ask(empty)).toBe('0\n');
    const newCopy = `SELECT FROM replication_state WHERE copy_schema <> 'of an earlier version' AND next_copy IS NULL`;
    await eye.sql(`UPDATE replication_state SET copy_schema = 'of an earlier version'`);
    await eventually(async () => expect(await eye.sql(newCopy)).toHaveLength(1));
    await copy.caughtUp();
    expect(await copy.count()).toBe(sent);
    expect(await copy.ask(empty)).toBe('0\n');
    expect(await copy.verify()).toMatch(AGREES);
  });
});
