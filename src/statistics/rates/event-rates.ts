import { COUNTED, type EventCounts } from '../../platform/telemetry/metrics.js';

/** Seconds that can be looked back. */
export const SECONDS = 300;

/** What happened to events in this process, by the second: by how much its totals grew. */
export class EventRates {
  private readonly seconds = new Map<number, EventCounts>();
  private last: EventCounts = { accepted: 0, stored: 0, duplicates: 0, refused: 0 };

  /** Takes note of the totals at the end of a second since 1970. */
  note(second: number, totals: EventCounts): void {
    const growth = { ...totals };
    for (const name of COUNTED) growth[name] -= this.last[name];
    this.last = totals;
    if (COUNTED.some((name) => growth[name] > 0)) this.seconds.set(second, growth);
  }

  /** The counts of each second in which something happened, until they are forgotten. */
  get counts(): ReadonlyMap<number, EventCounts> {
    return this.seconds;
  }

  forget(seconds: Iterable<number>): void {
    for (const second of seconds) this.seconds.delete(second);
  }

  /** Nobody can ask for what was before. */
  forgetBefore(second: number): void {
    this.forget([...this.seconds.keys()].filter((each) => each < second));
  }
}
