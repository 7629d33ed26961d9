import { PendingDeltas } from './pending-deltas.js';

const NOTHING = { accepted: 0, stored: 0, duplicates: 0, refused: 0 };

describe('PendingDeltas', () => {
  it('holds by how much the totals grew, of the seconds in which they did', () => {
    const deltas = new PendingDeltas();
    deltas.noteTotals(10, { ...NOTHING, accepted: 5 });
    deltas.noteTotals(11, { ...NOTHING, accepted: 5 });
    deltas.noteTotals(12, { accepted: 6, stored: 4, duplicates: 1, refused: 7 });
    expect([...deltas.bySecond]).toEqual([
      [10, { ...NOTHING, accepted: 5 }],
      [12, { accepted: 1, stored: 4, duplicates: 1, refused: 7 }],
    ]);
  });

  it('discards published seconds and those before the window', () => {
    const deltas = new PendingDeltas();
    for (const second of [10, 11, 12, 13]) deltas.noteTotals(second, { ...NOTHING, stored: second });
    deltas.discard([12]);
    deltas.discardBefore(11);
    expect([...deltas.bySecond.keys()]).toEqual([11, 13]);
  });
});
