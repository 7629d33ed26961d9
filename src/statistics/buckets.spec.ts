import { bucketStarts, endOfDate, type BucketInterval, startOfDate, zoneNamed } from './buckets.js';

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
    expect(starts('day', '1880-01-01T12:00:00Z', '1880-01-01T13:00:00Z', 'Europe/Berlin')).toEqual([
      '1879-12-31T23:06:32.000Z',
    ]);
  });
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
