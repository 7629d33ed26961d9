import { EventRates } from './event-rates.js';

describe('The pulse', () => {
  const NOTHING = { accepted: 0, stored: 0, duplicates: 0, refused: 0 };

  it('is by how much the totals grew, of the seconds in which they did', () => {
    const pulse = new EventRates();
    pulse.note(10, { ...NOTHING, accepted: 5 });
    pulse.note(11, { ...NOTHING, accepted: 5 });
    pulse.note(12, { accepted: 6, stored: 4, duplicates: 1, refused: 7 });
    expect([...pulse.counts]).toEqual([
      [10, { ...NOTHING, accepted: 5 }],
      [12, { accepted: 1, stored: 4, duplicates: 1, refused: 7 }],
    ]);
  });

  it('forgets what was told, and what nobody asks for any more', () => {
    const pulse = new EventRates();
    for (const second of [10, 11, 12, 13]) pulse.note(second, { ...NOTHING, stored: second });
    pulse.forget([12]);
    pulse.forgetBefore(11);
    expect([...pulse.counts.keys()]).toEqual([11, 13]);
  });
});
