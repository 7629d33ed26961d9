/** Milliseconds from the start of a run that has copied everything to the next, which bounds the lag. */
export const COPY_INTERVAL_MS = 1000;

/** Milliseconds between two runs at least. */
const MIN_PAUSE_MS = 200;

/** Events of a run that say that several thousand arrive in a second. */
const MANY_EVENTS = 3000;

/** How much longer than a run the pause is while many events arrive. */
const PAUSE_FACTOR = 3;

export interface CopyRun {
  /** Milliseconds. */
  readonly took: number;
  /** Whether everything was copied. */
  readonly isDone: boolean;
  /** Copied events. */
  readonly events: number;
}

/**
 * Milliseconds from the end of a run to the next. Storing has priority: a long pause leaves it the machine, and makes batches
 * larger, in which an event costs ClickHouse a third.
 * @param isStoring whether events wait to be stored
 */
export function pauseAfter({ took, isDone, events }: CopyRun, isStoring: boolean): number {
  // The copy does not keep up: it and storing have half of the time each.
  if (!isDone) return isStoring ? took : 0;
  if (isStoring && events >= MANY_EVENTS) return Math.max(COPY_INTERVAL_MS, PAUSE_FACTOR * took);
  return Math.max(MIN_PAUSE_MS, COPY_INTERVAL_MS - took);
}
