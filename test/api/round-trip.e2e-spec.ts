import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { anyCharacter } from '../../src/platform/json/any-character.spec-support.js';
import { anEvent, type Event, TheEye } from '../../testing/the-eye.js';
import { ANY_AGE, startEye } from '../support/start-eye.js';

/** The number of cases of each property. */
const CASES = 400;

const LIMIT = { text: 255, data: 64 * 1024 };

/** Texts that PostgreSQL can store: any Unicode characters except U+0000. */
const text = (options: fc.StringConstraints): fc.Arbitrary<string> =>
  fc
    .oneof(fc.string({ ...options, unit: anyCharacter }), fc.string({ ...options, unit: 'grapheme' }))
    .filter((value) => !value.includes('\0') && Array.from(value).length <= LIMIT.text);

const key = fc.oneof(
  text({ maxLength: 12 }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    'toJSON',
    'then',
    'id',
    'data',
    '0',
    '-1',
    '',
    ' ',
    '"',
    '\\',
    '𝄞',
  ),
);

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(5e-324, 1.7976931348623157e308, -1.7976931348623157e308, 2 ** 53, 0.1, 1e21, 1e-7, -0),
);

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    number,
    text({}),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 5 }),
}));

describe('An event that is stored and read back', () => {
  let eye: TheEye;
  beforeAll(async () => void (eye = await startEye(ANY_AGE)));
  afterAll(() => eye.close());

  /** Stores events and reads each one back by its id. */
  const storeAndRead = async (fields: Record<string, unknown>[]): Promise<[sent: any, read: Event][]> => {
    const events = fields.map((each) => anEvent(each));
    const { body } = await eye.store(events);
    expect(body).toMatchObject({ accepted: events.length, rejected: [] });
    const read = new Map<string, Event>();
    for (const id of new Set<string>(body.ids)) read.set(id, (await eye.get(`/events/${id}/`)).body);
    return events.map((event, index) => [event, read.get(body.ids[index]) as Event]);
  };

  it('has the same data, for any nested JSON with any keys, numbers and characters', async () => {
    const payloads = fc
      .sample(json.object, CASES)
      .filter((data) => Buffer.byteLength(JSON.stringify(data)) < LIMIT.data);
    expect(payloads.length).toBeGreaterThan(CASES / 2);
    const pairs = await storeAndRead(payloads.map((data) => ({ data })));
    // JSON.stringify writes -0 as 0. Jest's equality fails on a key named constructor.
    const changed = pairs.filter(
      ([sent, read]) => !isDeepStrictEqual(read.data, JSON.parse(JSON.stringify(sent.data))),
    );
    expect(changed).toEqual([]);
  });

  it.each([
    ['5e-324', 5e-324],
    ['2.2250738585072014e-308', 2.2250738585072014e-308],
    ['1.7976931348623157e308', 1.7976931348623157e308],
    ['-0', undefined],
    ['-0.0', undefined],
    ['0.1', 0.1],
    ['1E400', undefined],
    ['9007199254740993', undefined],
    ['9007199254740992', 9007199254740992],
    ['1e22', 1e22],
    ['0.1000000000000000055511151231257827', undefined],
  ])('has the number %s unchanged, unless POST /events rejects it as inexact', async (literal, expected) => {
    const event = JSON.stringify(anEvent({ data: { n: '?' } })).replace('"?"', literal);
    const { status, body } = await eye.post('/events/', event, { prefer: 'wait=20' });
    if (expected === undefined) {
      expect(status).toBe(400);
      expect(body.errors).toEqual({
        'data.n': [`The number ${literal} cannot be kept exactly; send it as a string.`],
      });
    } else {
      expect(status).toBe(201);
      expect(body.data.n).toBe(expected);
    }
  });

  it('has the same session_id, category and name, for any Unicode text', async () => {
    const field = text({ minLength: 1, maxLength: LIMIT.text });
    const cases = fc
      .sample(fc.record({ session_id: field, category: field, name: field }), CASES)
      .filter((texts) => Buffer.byteLength(Object.values(texts).join('')) <= 2400);
    expect(cases.length).toBeGreaterThan(CASES / 2);
    for (const [sent, read] of await storeAndRead(cases))
      expect(read).toEqual({ ...sent, application: 'default', id: read.id });
  });

  it('is found by its session_id, for any Unicode text', async () => {
    const field = text({ minLength: 1, maxLength: 40 });
    for (const session_id of fc.sample(field, 60)) {
      await eye.post('/events/', anEvent({ session_id }));
      await eye.drained();
      const { body } = await eye.get(`/events/?${new URLSearchParams({ session_id }).toString()}`);
      expect(new Set(body.results.map((event: Event) => event.session_id))).toEqual(new Set([session_id]));
    }
  });

  it('has the same instant to the microsecond, in UTC with six fractional digits, for any offset', async () => {
    const instant = fc.record({
      milliseconds: fc.integer({ min: Date.parse('0001-01-03T00:00:00Z'), max: Date.now() }),
      micros: fc.integer({ min: 0, max: 999 }),
      offset: fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 }),
      separator: fc.constantFrom('T', ' '),
      colon: fc.constantFrom(':', ''),
    });
    const cases = fc.sample(instant, CASES).map(({ milliseconds, micros, offset, separator, colon }) => {
      const digits = String(micros).padStart(3, '0');
      const two = (n: number): string => String(Math.abs(n)).padStart(2, '0');
      const zone = `${offset < 0 ? '-' : '+'}${two(Math.trunc(offset / 60))}${colon}${two(offset % 60)}`;
      const local = new Date(milliseconds + offset * 60_000)
        .toISOString()
        .slice(0, -1)
        .replace('T', separator);
      return {
        timestamp: `${local}${digits}${zone}`,
        expected: `${new Date(milliseconds).toISOString().slice(0, -1)}${digits}Z`,
      };
    });
    const responses = await storeAndRead(cases.map(({ timestamp }) => ({ timestamp })));
    expect(responses.map(([, { timestamp }]) => timestamp)).toEqual(cases.map(({ expected }) => expected));
  });
});
