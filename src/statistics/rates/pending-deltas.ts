import { COUNTED, type EventCounts, noCounts } from '../../platform/telemetry/metrics.js';

/** Seconds of which the rates are available. */
export const RATES_WINDOW_SECONDS = 300;

/** By how much the totals of this process grew in each second, until that is published. */
export class PendingDeltas {
  private readonly deltas = new Map<number, EventCounts>();
  private last = noCounts();

  /** @param second since 1970, at the end of which the totals were read */
  noteTotals(second: number, totals: EventCounts): void {
    const delta = { ...totals };
    for (const name of COUNTED) delta[name] -= this.last[name];
    this.last = totals;
    if (COUNTED.some((name) => delta[name] > 0)) this.deltas.set(second, delta);
  }

  /** The deltas by second; a second in which nothing happened has none. */
  get bySecond(): ReadonlyMap<number, EventCounts> {
    return this.deltas;
  }

  discard(seconds: Iterable<number>): void {
    for (const second of seconds) this.deltas.delete(second);
  }

  discardBefore(second: number): void {
    this.discard([...this.deltas.keys()].filter((each) => each < second));
  }
}
