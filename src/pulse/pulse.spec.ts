import { jest } from '@jest/globals';
import { Pulse } from './pulse.js';

describe('The pulse', () => {
  beforeEach(() => void jest.useFakeTimers({ now: 10_500 }));
  afterEach(() => void jest.useRealTimers());

  it('counts by the second in which something happened', () => {
    const pulse = new Pulse();
    pulse.accepted(2);
    pulse.accepted(3);
    jest.setSystemTime(10_999);
    pulse.stored(4, 1);
    jest.setSystemTime(12_000);
    pulse.refused(7);
    expect([...pulse.before(13)]).toEqual([
      [10, { accepted: 5, stored: 4, duplicates: 1, refused: 0 }],
      [12, { accepted: 0, stored: 0, duplicates: 0, refused: 7 }],
    ]);
  });

  it('gives no second that is not over, and none that was forgotten', () => {
    const pulse = new Pulse();
    pulse.accepted(1);
    expect(pulse.before(10).size).toBe(0);
    const over = pulse.before(11);
    expect(over.size).toBe(1);
    pulse.forget(over.keys());
    expect(pulse.before(11).size).toBe(0);
  });
});
