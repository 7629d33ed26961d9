import pLimit, { type LimitFunction } from 'p-limit';

/** Statements of one kind: so many run at once, and the others wait in order. */
export class Lane {
  private readonly limit: LimitFunction;

  constructor(private readonly slots: number) {
    this.limit = pLimit(slots);
  }

  get waiting(): number {
    return this.limit.pendingCount;
  }

  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.limit(work);
  }

  /** Waits in order until nothing else of the lane runs, and lets nothing begin until `work` has ended. */
  async runAlone<Result>(work: () => Promise<Result>): Promise<Result> {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // The slots follow each other in the queue, so two that want to be alone never hold a part of the lane each.
    const slots = Array.from({ length: this.slots }, () => {
      return new Promise<void>((taken) => {
        void this.limit(() => {
          taken();
          return released;
        });
      });
    });
    await Promise.all(slots);
    try {
      return await work();
    } finally {
      release();
    }
  }
}
