/** What is counted, of events. */
export const COUNTED = ['accepted', 'stored', 'duplicates', 'refused'] as const;
export type Counts = Record<(typeof COUNTED)[number], number>;

/** Seconds that can be looked back. */
export const SECONDS = 300;

/** What happens to events in this process, by the second: a few integers in memory, so that counting costs nothing. */
export class Pulse {
  private readonly seconds = new Map<number, Counts>();

  /** Into the queue. */
  accepted(events: number): void {
    this.present().accepted += events;
  }

  /** Into PostgreSQL, or found there already. */
  stored(events: number, duplicates: number): void {
    const counts = this.present();
    counts.stored += events;
    counts.duplicates += duplicates;
  }

  refused(events: number): void {
    this.present().refused += events;
  }

  /** The counts of each second, in seconds since 1970, that has passed before this one and in which something happened. */
  before(second: number): Map<number, Counts> {
    return new Map([...this.seconds].filter(([each]) => each < second));
  }

  forget(seconds: Iterable<number>): void {
    for (const second of seconds) this.seconds.delete(second);
  }

  private present(): Counts {
    const second = Math.floor(Date.now() / 1000);
    let counts = this.seconds.get(second);
    if (!counts) {
      counts = { accepted: 0, stored: 0, duplicates: 0, refused: 0 };
      this.seconds.set(second, counts);
    }
    return counts;
  }
}
