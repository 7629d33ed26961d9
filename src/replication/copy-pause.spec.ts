import { COPY_INTERVAL_MS, pauseAfter } from './copy-pause.js';

describe('pauseAfter', () => {
  it('starts a run each second, whether events wait to be stored or not', () => {
    for (const isStoring of [true, false]) {
      const pause = pauseAfter({ took: 150, isDone: true, events: 1000 }, isStoring);
      expect(pause + 150).toBe(COPY_INTERVAL_MS);
    }
  });

  it('leaves three quarters of the time to storing while thousands of events arrive in a second', () => {
    expect(pauseAfter({ took: 800, isDone: true, events: 4000 }, true)).toBe(2400);
    expect(pauseAfter({ took: 100, isDone: true, events: 4000 }, true)).toBe(COPY_INTERVAL_MS);
  });

  it('does not wait for storing when nothing is to be stored', () => {
    expect(pauseAfter({ took: 800, isDone: true, events: 100_000 }, false)).toBe(200);
    expect(pauseAfter({ took: 2000, isDone: false, events: 100_000 }, false)).toBe(0);
  });

  it('shares the time with storing in halves when the copy does not keep up', () => {
    expect(pauseAfter({ took: 2000, isDone: false, events: 100_000 }, true)).toBe(2000);
  });
});
