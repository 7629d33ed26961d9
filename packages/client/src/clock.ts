/** How far the fine clock may be from the wall clock, before it is set again: it does not follow corrections, nor sleep. */
const MAX_DRIFT_MS = 50;

/** How far the wall clock must go back before timestamps follow it. */
const MAX_STEP_BACK_US = 1_000_000;

/**
 * A clock that returns microseconds since 1970, never the same twice.
 * @param noise the resolution of the platform's clock in microseconds. Random digits stand for what is below it, so that two
 *     tabs that share a session do not give the same event the same timestamp
 */
export function createClock(noise: number): () => number {
  let offset = NaN;
  let last = 0;
  return () => {
    const fine = performance.now();
    const wall = Date.now();
    if (!(Math.abs(offset + fine - wall) < MAX_DRIFT_MS)) offset = wall - fine;
    const now = Math.floor((offset + fine) * 1000 + Math.random() * noise);
    last = now > last || now < last - MAX_STEP_BACK_US ? now : last + 1;
    return last;
  };
}

/** As `2026-03-01T09:15:31.243860Z`. */
export const formatMicroseconds = (time: number): string =>
  new Date(time / 1000).toISOString().slice(0, -1) + `${time % 1000}Z`.padStart(4, '0');
