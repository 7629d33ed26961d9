import { jest } from '@jest/globals';
import { createClock, formatMicroseconds } from './clock.js';

describe('The clock of a client', () => {
  afterEach(() => jest.restoreAllMocks());

  it('never returns the same moment twice, and stays close to the wall clock', () => {
    const now = createClock(100);
    const times = Array.from({ length: 10_000 }, now);
    expect(new Set(times).size).toBe(10_000);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(Math.abs((times.at(-1) ?? 0) / 1000 - Date.now())).toBeLessThan(1000);
  });

  it('follows the wall clock when that is set, forwards and backwards', () => {
    const now = createClock(0);
    const wall = jest.spyOn(Date, 'now');
    for (const time of [1_700_000_000_000, 1_800_000_000_000, 1_600_000_000_000]) {
      wall.mockReturnValue(time);
      expect(Math.floor(now() / 1000)).toBe(time);
    }
  });

  it('writes all six digits', () => {
    expect(formatMicroseconds(1_772_356_531_243_060)).toBe('2026-03-01T09:15:31.243060Z');
    expect(formatMicroseconds(1_772_356_531_000_007)).toBe('2026-03-01T09:15:31.000007Z');
  });
});
