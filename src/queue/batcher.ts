interface Queued<Item> {
  readonly item: Item;
  /** When the item expires, in milliseconds of performance.now(). */
  readonly expiresAt: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds between two checks for expired items. A timer for each item would cost more than the item. */
const EXPIRY_CHECK_INTERVAL_MS = 50;

export interface BatcherOptions<Item> {
  /** Commits one batch. If it fails, all items of the batch fail with its error. */
  readonly commit: (items: Item[]) => Promise<void>;
  readonly cost: (item: Item) => number;
  /** The cost at which a batch is full. The last item may exceed it. */
  readonly maxCost: number;
  /** Batches that may be in flight at once. Only full ones start beside another, because small batches cost most per item. */
  readonly maxConcurrent: number;
  /** How long an item may take, and the error that it then fails with. Without it, items have no deadline. */
  readonly timeout?: {
    readonly afterMs: number;
    /** @param inFlight true if the item was being committed, so that the outcome is unknown */
    readonly error: (inFlight: boolean) => Error;
  };
}

/**
 * Group commit: while one batch is being committed, the items that arrive wait together for the next. Under load the
 * batches grow by themselves; when idle, an item is committed at once.
 */
export class Batcher<Item> {
  private queued: Queued<Item>[] = [];
  private queuedCost = 0;
  private readonly inFlight = new Set<Queued<Item>[]>();
  private isStartScheduled = false;
  private expiryTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: BatcherOptions<Item>) {}

  /**
   * Resolves once the item's batch is committed. An item that expires while it is still queued is never committed.
   * @throws the error of `commit`, or that of `timeout`
   */
  add(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      const expiresAt = this.options.timeout ? performance.now() + this.options.timeout.afterMs : Infinity;
      this.queued.push({ item, expiresAt, resolve, reject });
      this.queuedCost += this.options.cost(item);
      this.schedule();
    });
  }

  /** Starts the next batch after this turn of the event loop, so that items that arrive in one turn share a batch. */
  private schedule(): void {
    if (this.isStartScheduled || this.queued.length === 0) return;
    if (this.options.timeout)
      this.expiryTimer ??= setInterval(() => this.rejectExpired(), EXPIRY_CHECK_INTERVAL_MS);
    const isFull = this.queuedCost >= this.options.maxCost;
    if (this.inFlight.size >= (isFull ? this.options.maxConcurrent : 1)) return;
    this.isStartScheduled = true;
    setImmediate(() => {
      this.isStartScheduled = false;
      this.start();
    });
  }

  private start(): void {
    let count = 0;
    let cost = 0;
    for (; cost < this.options.maxCost && count < this.queued.length; count++) {
      cost += this.options.cost((this.queued[count] as Queued<Item>).item);
    }
    this.queuedCost -= cost;
    if (count > 0) void this.run(this.queued.splice(0, count));
    this.schedule();
  }

  private async run(batch: Queued<Item>[]): Promise<void> {
    this.inFlight.add(batch);
    try {
      await this.options.commit(batch.map(({ item }) => item));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight.delete(batch);
      this.schedule();
    }
  }

  private rejectExpired(): void {
    const now = performance.now();
    const isExpired = ({ expiresAt }: Queued<Item>): boolean => expiresAt <= now;
    const expiredInFlight = [...this.inFlight].flatMap((batch) => batch.filter(isExpired));
    const expiredQueued = this.queued.filter(isExpired);
    this.queued = this.queued.filter((entry) => !isExpired(entry));
    this.queuedCost = this.queued.reduce((sum, { item }) => sum + this.options.cost(item), 0);
    for (const { reject } of expiredInFlight) reject(this.options.timeout?.error(true));
    for (const { reject } of expiredQueued) reject(this.options.timeout?.error(false));
    if (this.queued.length > 0 || this.inFlight.size > 0) return;
    clearInterval(this.expiryTimer);
    this.expiryTimer = undefined;
  }
}
