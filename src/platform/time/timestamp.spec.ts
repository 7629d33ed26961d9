import fc from 'fast-check';
import { now, parseBound, parseTimestamp, secondsBetween, TimestampError } from './timestamp.js';

const FIRST = Date.parse('0001-01-01T00:00:00Z');
const LAST = Date.parse('9999-12-31T23:59:59.999Z');
const ISO = 'Must be an ISO 8601 date-time such as 2021-01-01T09:15:29.243860Z.';

/** An instant as milliseconds and the three digits after them. */
const instant = fc.record({
  milliseconds: fc.integer({ min: FIRST, max: LAST }),
  micros: fc.integer({ min: 0, max: 999 }),
});
type Instant = { milliseconds: number; micros: number };

const canonical = ({ milliseconds, micros }: Instant) =>
  `${new Date(milliseconds).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;

/** Minutes from UTC, and their text. */
const offset = fc
  .record({
    minutes: fc.integer({ min: -1439, max: 1439 }),
    colon: fc.constantFrom(':', ''),
  })
  .map(({ minutes, colon }) => {
    const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map((number) =>
      String(number).padStart(2, '0'),
    );
    return { minutes, text: `${minutes < 0 ? '-' : '+'}${hour}${colon}${minute}` };
  });

describe('parseTimestamp()', () => {
  it.each([
    ['2021-01-01T09:15:29.243860Z', '2021-01-01T09:15:29.243860Z'],
    ['2021-01-01 09:15:29.243860', '2021-01-01T09:15:29.243860Z'],
    ['2021-01-01T09:15:29+02:00', '2021-01-01T07:15:29.000000Z'],
    ['2021-01-01T09:15:29+0200', '2021-01-01T07:15:29.000000Z'],
    ['2021-01-01T09:15:29+02', '2021-01-01T07:15:29.000000Z'],
    ['2021-01-01T09:15:29-03:30', '2021-01-01T12:45:29.000000Z'],
    ['2021-01-01T09:15:29-00:00', '2021-01-01T09:15:29.000000Z'],
    ['2021-01-01T09:15:29+23:59', '2020-12-31T09:16:29.000000Z'],
    ['2021-01-01T09:15', '2021-01-01T09:15:00.000000Z'],
    ['2021-01-01T09:15+02:00', '2021-01-01T07:15:00.000000Z'],
    ['2021-01-01T09:15:29.2', '2021-01-01T09:15:29.200000Z'],
    ['2021-01-01T09:15:29.24', '2021-01-01T09:15:29.240000Z'],
    ['2021-01-01T09:15:29.243', '2021-01-01T09:15:29.243000Z'],
    ['2021-01-01T09:15:29.2438', '2021-01-01T09:15:29.243800Z'],
    ['2021-01-01T09:15:29.24386', '2021-01-01T09:15:29.243860Z'],
    ['2021-01-01T09:15:29,243861', '2021-01-01T09:15:29.243861Z'],
    ['2021-01-01T09:15:29.243861000Z', '2021-01-01T09:15:29.243861Z'],
    ['2020-02-29T00:00:00', '2020-02-29T00:00:00.000000Z'],
    ['2000-02-29T00:00:00', '2000-02-29T00:00:00.000000Z'],
    ['1969-12-31T23:59:59.999999', '1969-12-31T23:59:59.999999Z'],
    ['0001-01-01T00:00:00', '0001-01-01T00:00:00.000000Z'],
    ['0099-03-01T00:00:00', '0099-03-01T00:00:00.000000Z'],
    ['9999-12-31T23:59:59.999999', '9999-12-31T23:59:59.999999Z'],
  ])('parses %s as %s', (text, expected) => {
    expect(parseTimestamp(text).text).toBe(expected);
  });

  it.each([
    ['2021-01-01T09:15:29.2438601', 'At most six fractional digits (microseconds) can be kept.'],
    ['2021-01-01T09:15:29.243860000001Z', 'At most six fractional digits (microseconds) can be kept.'],
    ['2021-02-30T00:00:00', 'This day does not exist.'],
    ['2021-04-31T00:00:00', 'This day does not exist.'],
    ['1900-02-29T00:00:00', 'This day does not exist.'],
    ['2021-00-01T00:00:00', 'This day does not exist.'],
    ['2021-13-01T00:00:00', 'This day does not exist.'],
    ['2021-01-00T00:00:00', 'This day does not exist.'],
    ['0000-01-01T00:00:00', 'This day does not exist.'],
    ['2021-01-01T24:00:00', 'This time of day does not exist.'],
    ['2021-01-01T23:60:00', 'This time of day does not exist.'],
    ['2021-01-01T23:59:60', 'This time of day does not exist.'],
    ['2021-01-01T00:00:00+24:00', 'This offset does not exist.'],
    ['2021-01-01T00:00:00+02:60', 'This offset does not exist.'],
    ['0001-01-01T00:59:59+01:00', 'Must lie within the years 0001 to 9999 in UTC.'],
    ['9999-12-31T23:00:00-01:00', 'Must lie within the years 0001 to 9999 in UTC.'],
    ['99999-01-01T00:00:00', ISO],
    ['21-01-01T00:00:00', ISO],
    ['2021-01-01', ISO],
    ['2021-01-01T09', ISO],
    ['2021-01-01T09:15:29.', ISO],
    ['2021-01-01T09:15:29Z+02:00', ISO],
    ['2021-01-01T09:15:29+2', ISO],
    ['2021-01-01  09:15:29', ISO],
    ['2021-01-01T09:15:29Z\n', ISO],
    [' 2021-01-01T09:15:29Z', ISO],
    ['1609492529', ISO],
    ['yesterday', ISO],
    ['', ISO],
  ])('rejects %p: %s', (text, message) => {
    expect(() => parseTimestamp(text)).toThrow(new TimestampError(message));
  });

  it('gives the same text and milliseconds for every offset of an instant', () => {
    fc.assert(
      fc.property(instant, offset, fc.constantFrom('T', ' '), (time, { minutes, text }, separator) => {
        const local = time.milliseconds + minutes * 60_000;
        fc.pre(local >= FIRST && local <= LAST);
        const written = canonical({ ...time, milliseconds: local })
          .replace('T', separator)
          .replace('Z', text);
        expect(parseTimestamp(written)).toEqual({
          text: canonical(time),
          milliseconds: time.milliseconds,
        });
      }),
    );
  });

  it('gives texts that sort chronologically', () => {
    fc.assert(
      fc.property(instant, instant, (one, other) => {
        const [a, b] = [one, other].map((time) => parseTimestamp(canonical(time)).text) as [string, string];
        const earlier = one.milliseconds - other.milliseconds || one.micros - other.micros;
        expect(a < b).toBe(earlier < 0);
      }),
    );
  });

  it('parses every text in the format of a timestamp or throws a TimestampError', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{0,8})?)?(Z|[+-]\d\d)?$/),
        (text) => {
          try {
            expect(parseTimestamp(text).text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
          } catch (error) {
            if (!(error instanceof TimestampError)) throw error;
          }
        },
      ),
    );
  });
});

describe('now()', () => {
  it('returns the system time in canonical format', () => {
    const before = Date.now();
    const { text, milliseconds } = now();
    expect(milliseconds).toBeGreaterThanOrEqual(before);
    expect(milliseconds).toBeLessThanOrEqual(Date.now());
    expect(parseTimestamp(text)).toEqual({ text, milliseconds });
  });
});

describe('parseBound()', () => {
  it.each([
    ['2021-01-01', 'after', '2021-01-01T00:00:00.000000Z'],
    ['2021-01-01', 'before', '2021-01-01T23:59:59.999999Z'],
    ['0001-01-01', 'after', '0001-01-01T00:00:00.000000Z'],
    ['9999-12-31', 'before', '9999-12-31T23:59:59.999999Z'],
    ['2021-01-01T09:15:29.5', 'after', '2021-01-01T09:15:29.500000Z'],
    ['2021-01-01 09:15', 'before', '2021-01-01T09:15:00.000000Z'],
    ['2021-01-01 09:15:29+02:00', 'before', '2021-01-01T07:15:29.000000Z'],
  ] as const)('parses %s (%s) as %s', (text, end, expected) => {
    expect(parseBound(text, end).text).toBe(expected);
  });

  it.each([
    '2021-01-01T09:15:29 02:00',
    '2021-01-01 09:15:29 02:00',
    '2021-01-01T09:15:29 0200',
    '2021-01-01T09:15:29 02',
    '2021-01-01T09:15:29.000 02:00',
    '2021-01-01T09:15:29,000 02:00',
  ])('reads the space before the offset as a plus sign that was not percent-encoded: %s', (text) => {
    expect(parseBound(text, 'after').text).toBe('2021-01-01T07:15:29.000000Z');
  });

  it.each([
    ['2021-02-30', 'This day does not exist.'],
    ['2021-02-30T00:00:00', 'This day does not exist.'],
    ['0000-01-01', 'This day does not exist.'],
    ['2021-01-01T25:00:00', 'This time of day does not exist.'],
    ['2021-01', 'Must be an ISO 8601 date or date-time, such as 2021-01-01 or 2021-01-01T09:15:29.243860Z.'],
    ['today', 'Must be an ISO 8601 date or date-time, such as 2021-01-01 or 2021-01-01T09:15:29.243860Z.'],
  ])('rejects %s: %s', (text, message) => {
    expect(() => parseBound(text, 'before')).toThrow(new TimestampError(message));
  });
});

describe('secondsBetween()', () => {
  it.each([
    ['2021-01-01T09:15:29.243860Z', '2021-01-01T09:15:29.243860Z', 0],
    ['2021-01-01T09:15:29.999999Z', '2021-01-01T09:15:30.000000Z', 0.000001],
    ['1969-12-31T23:59:59.500000Z', '1970-01-01T00:00:01.250000Z', 1.75],
    ['2020-02-28T00:00:00.000001Z', '2020-03-01T00:00:00.000000Z', 172799.999999],
  ])('from %s to %s returns %d', (earlier, later, seconds) =>
    expect(secondsBetween(earlier, later)).toBe(seconds),
  );
});
