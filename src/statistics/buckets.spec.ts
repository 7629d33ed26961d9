import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import {
  BUCKET_INTERVALS,
  type BucketInterval,
  bucketStarts,
  endOfDate,
  leastBuckets,
  startOfDate,
  zoneNamed,
} from './buckets.js';

const starts = (interval: BucketInterval, from: string, to: string, timezone: string): string[] =>
  [...bucketStarts(interval, Date.parse(from), Date.parse(to), timezone)].map((start) =>
    new Date(start).toISOString().replace(/:00\.000Z$/, 'Z'),
  );

describe('buckets', () => {
  it('begin with the one that the range begins in, and end before the range does', () => {
    expect(starts('hour', '2026-01-01T10:30:00Z', '2026-01-01T12:00:00Z', 'UTC')).toEqual([
      '2026-01-01T10:00Z',
      '2026-01-01T11:00Z',
    ]);
    expect(starts('minute', '2026-01-01T10:30:59.999Z', '2026-01-01T10:31:00.001Z', 'UTC')).toEqual([
      '2026-01-01T10:30Z',
      '2026-01-01T10:31Z',
    ]);
  });

  it('are days of 23 and 25 hours where clocks are shifted', () => {
    expect(starts('day', '2026-03-28T12:00:00Z', '2026-03-30T12:00:00Z', 'Europe/Berlin')).toEqual([
      '2026-03-27T23:00Z',
      '2026-03-28T23:00Z',
      '2026-03-29T22:00Z',
    ]);
    expect(starts('day', '2026-10-25T12:00:00Z', '2026-10-26T12:00:00Z', 'Europe/Berlin')).toEqual([
      '2026-10-24T22:00Z',
      '2026-10-25T23:00Z',
    ]);
  });

  it('are two hours where a clock shows one twice, and none where it shows none', () => {
    expect(starts('hour', '2026-10-25T00:00:00Z', '2026-10-25T03:00:00Z', 'Europe/Berlin')).toHaveLength(3);
    expect(starts('hour', '2026-03-29T00:00:00Z', '2026-03-29T03:00:00Z', 'Europe/Berlin')).toHaveLength(3);
  });

  it('are days that begin at one where there is no midnight, and at the first of two midnights', () => {
    expect(starts('day', '2017-10-15T12:00:00Z', '2017-10-15T13:00:00Z', 'America/Sao_Paulo')).toEqual([
      '2017-10-15T03:00Z',
    ]);
    expect(starts('day', '2026-11-01T12:00:00Z', '2026-11-01T13:00:00Z', 'America/Havana')).toEqual([
      '2026-11-01T04:00Z',
    ]);
  });

  it('leave out a day that a zone left out', () => {
    expect(starts('day', '2011-12-29T12:00:00Z', '2012-01-01T00:00:00Z', 'Pacific/Apia')).toEqual([
      '2011-12-29T10:00Z',
      '2011-12-30T10:00Z',
      '2011-12-31T10:00Z',
    ]);
  });

  it('are weeks that begin on Monday', () => {
    expect(starts('week', '2026-01-01T00:00:00Z', '2026-01-12T00:00:00Z', 'Asia/Kolkata')).toEqual([
      '2025-12-28T18:30Z',
      '2026-01-04T18:30Z',
      '2026-01-11T18:30Z',
    ]);
  });

  it('follow the clock also by half hours, and from before there were zones', () => {
    expect(starts('hour', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z', 'Asia/Kathmandu')).toEqual([
      '2025-12-31T23:15Z',
      '2026-01-01T00:15Z',
    ]);
    // Clocks go back from 2:00 to 1:30.
    expect(starts('hour', '2026-04-04T14:00:00Z', '2026-04-04T17:00:00Z', 'Australia/Lord_Howe')).toEqual([
      '2026-04-04T14:00Z',
      '2026-04-04T15:30Z',
      '2026-04-04T16:30Z',
    ]);
    // Clocks go forward from 2:00 to 2:30.
    for (const from of ['2021-10-02T15:29:59Z', '2021-10-02T14:30:00Z'])
      expect(starts('hour', from, '2021-10-02T17:00:00Z', 'Australia/Lord_Howe')).toEqual([
        '2021-10-02T14:30Z',
        '2021-10-02T15:30Z',
        '2021-10-02T16:00Z',
      ]);
    expect(starts('day', '1880-01-01T12:00:00Z', '1880-01-01T13:00:00Z', 'Europe/Berlin')).toEqual([
      '1879-12-31T23:06:32.000Z',
    ]);
  });
});

describe('the first bucket', () => {
  it.each([
    ['week', 'monday', '2026-02-23T00:00Z'],
    ['week', 'sunday', '2026-02-22T00:00Z'],
    ['month', 'monday', '2026-02-01T00:00Z'],
    ['quarter', 'monday', '2026-01-01T00:00Z'],
    ['year', 'monday', '2026-01-01T00:00Z'],
  ] as const)('of the %s of a week that starts on %s begins at %s', (interval, weekStart, expected) => {
    // A Saturday.
    const from = Date.parse('2026-02-28T12:00:00Z');
    const [first = NaN] = bucketStarts(interval, from, from + 1, 'UTC', weekStart);
    expect(new Date(first).toISOString()).toBe(expected.replace('Z', ':00.000Z'));
  });

  it('is the second one of Sunday weeks on a Sunday', () => {
    const from = Date.parse('2026-03-01T00:00:00Z');
    expect([...bucketStarts('week', from - 1, from + 1, 'UTC', 'sunday')]).toEqual([
      from - 7 * 86_400_000,
      from,
    ]);
  });
});

describe('the boundaries of buckets', () => {
  /** Zones with odd offsets, with shifts of half an hour, of seconds and of a day, and with an hour at midnight. */
  const SHIFTS: [timezone: string, around: string][] = [
    ['UTC', '2026-01-01T00:00:00Z'],
    ['Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['Europe/Berlin', '2026-10-25T01:00:00Z'],
    ['Australia/Lord_Howe', '2021-10-02T15:30:00Z'],
    ['Australia/Lord_Howe', '2021-04-03T15:00:00Z'],
    ['Asia/Kathmandu', '1985-12-31T18:30:00Z'],
    ['Asia/Pyongyang', '2015-08-14T15:00:00Z'],
    ['America/St_Johns', '2006-10-29T02:31:00Z'],
    ['America/Caracas', '2016-05-01T07:00:00Z'],
    ['Europe/Amsterdam', '1937-06-30T23:40:28Z'],
    ['Pacific/Apia', '2011-12-30T10:00:00Z'],
    ['America/Sao_Paulo', '2017-10-15T03:00:00Z'],
  ];
  const aRange = fc
    .tuple(fc.constantFrom(...SHIFTS), fc.integer({ min: -90, max: 90 }), fc.integer({ min: 1, max: 200 }))
    .chain(([[timezone, around], minutes, length]) => {
      const from = Date.parse(around) + minutes * 60_000;
      return fc.record({
        timezone: fc.constant(timezone),
        from: fc.constantFrom(from, from + 1, from - 1, Date.parse(around)),
        minutes: fc.constant(length),
      });
    });

  it.each(['minute', 'hour', 'day', 'week'] as const)(
    'are those of any larger range when buckets last a %s, whatever the zone and its shifts',
    (interval) => {
      fc.assert(
        fc.property(
          aRange,
          fc.integer({ min: 1, max: 3 * 24 * 60 }),
          ({ timezone, from, minutes }, earlier) => {
            const to = from + minutes * 60_000;
            const wide = [...bucketStarts(interval, from - earlier * 60_000, to, timezone)];
            const first = wide.findLastIndex((start) => start <= from);
            expect([...bucketStarts(interval, from, to, timezone)]).toEqual(wide.slice(first));
          },
        ),
        { numRuns: 150 },
      );
    },
  );

  it.each(['minute', 'hour'] as const)('lie where the clock begins to show another %s', (interval) => {
    const length = interval === 'minute' ? 16 : 13;
    const shown = (time: number, timezone: string): string =>
      Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone).toString().slice(0, length);
    fc.assert(
      fc.property(aRange, ({ timezone, from, minutes }) => {
        const starts = [...bucketStarts(interval, from, from + minutes * 60_000, timezone)];
        for (const [index, start] of starts.slice(0, -1).entries()) {
          const last = (starts[index + 1] ?? 0) - 1;
          expect(shown(last, timezone)).toBe(shown(start, timezone));
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the buckets of years', () => {
  const ZONES = [
    'UTC',
    'Europe/Berlin',
    'Europe/Amsterdam',
    'Australia/Lord_Howe',
    'Africa/Casablanca',
    'Asia/Gaza',
    'Pacific/Apia',
    'Pacific/Kwajalein',
    'Asia/Manila',
    'America/Sao_Paulo',
    'America/Juneau',
  ];
  const aRange = fc.record({
    timezone: fc.constantFrom(...ZONES),
    from: fc.integer({ min: Date.parse('1830-01-01'), max: Date.parse('2040-01-01') }),
    days: fc.integer({ min: 1, max: 2000 }),
  });

  it.each([
    ['day', { days: 1 }],
    ['week', { days: 7 }],
    ['month', { months: 1 }],
    ['quarter', { months: 3 }],
    ['year', { years: 1 }],
  ] as const)('begin with the first instant of a date when they last a %s', (interval, length) => {
    fc.assert(
      fc.property(aRange, ({ timezone, from, days }) => {
        const to = from + days * 86_400_000;
        const [first = NaN, ...others] = [...bucketStarts(interval, from, to, timezone)];
        let date = Temporal.Instant.fromEpochMilliseconds(first).toZonedDateTimeISO(timezone).toPlainDate();
        const expected: number[] = [];
        for (;;) {
          date = date.add(length);
          const start = startOfDate(date.toString(), timezone);
          if (start >= to) break;
          if (start > (expected.at(-1) ?? first)) expected.push(start);
        }
        expect(others).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  it.each(BUCKET_INTERVALS)(
    'are at least as many as leastBuckets finds without the zone when they last a %s',
    (interval) => {
      fc.assert(
        fc.property(aRange, ({ timezone, from, days }) => {
          const to = from + (interval === 'minute' ? days * 60_000 : days * 86_400_000);
          const found = [...bucketStarts(interval, from, to, timezone)].length;
          expect(found).toBeGreaterThanOrEqual(leastBuckets(interval, from, to));
        }),
        { numRuns: 60 },
      );
    },
  );
});

describe('a date', () => {
  it('lasts from its first instant to that of the next', () => {
    expect(new Date(startOfDate('2026-03-29', 'Europe/Berlin')).toISOString()).toBe(
      '2026-03-28T23:00:00.000Z',
    );
    expect(new Date(endOfDate('2026-03-29', 'Europe/Berlin')).toISOString()).toBe('2026-03-29T22:00:00.000Z');
  });
});

describe('a zone', () => {
  it('is known by its IANA name', () => {
    expect(zoneNamed('Europe/Berlin')).toBe('Europe/Berlin');
    for (const name of ['', 'Berlin', 'Europe/Berlin ', '../etc', 'x'.repeat(10_000)])
      expect(zoneNamed(name)).toBeUndefined();
  });
});
