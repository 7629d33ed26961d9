interface Waiting<Item> {
  readonly item: Item;
  /** When the item gives up, in milliseconds of performance.now(). */
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Milliseconds between two looks for items that waited too long; a timer an item would cost more than the item. */
const DEADLINE_TICK = 50;

export interface BatcherOptions<Item> {
  /** Commits one group; when it fails, all items of the group fail with its error. */
  readonly commit: (items: Item[]) => Promise<void>;
  readonly cost: (item: Item) => number;
  /** The weight at which a group is full; its last item may exceed it. */
  readonly maxCost: number;
  /** Groups that may be under way at once. Beyond the first, a group waits until it is full: small ones cost most. */
  readonly maxConcurrent: number;
  /** Milliseconds from the start of a group to that of the next, unless it is full: the fewer groups, the less each item costs. */
  readonly minIntervalMs?: number;
  /**
   * Milliseconds after which an item gives up, and what it gives up with, which depends on whether its group is under way.
   * Without it items wait as long as it takes.
   */
  readonly deadline?: { after: number; error: (underWay: boolean) => Error };
}

/**
 * Group commit: while one group is being committed, the items that arrive wait together for the next one. Under load
 * groups grow by themselves, and an idle system answers at once.
 */
export class Batcher<Item> {
  private waiting: Waiting<Item>[] = [];
  private waitingWeight = 0;
  private readonly underWay = new Set<Waiting<Item>[]>();
  private scheduled = false;
  /** When the next group may start although it is not full, in milliseconds of performance.now(). */
  private nextStartAt = 0;
  private resting: NodeJS.Timeout | undefined;
  private ticking: NodeJS.Timeout | undefined;

  constructor(private readonly options: BatcherOptions<Item>) {}

  /** Resolves once the item's group is committed. An item that gave up before its group was under way is not committed. */
  add(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = this.options.deadline ? performance.now() + this.options.deadline.after : Infinity;
      this.waiting.push({ item, deadline, resolve, reject });
      this.waitingWeight += this.options.cost(item);
      this.schedule();
    });
  }

  /** After the present turn of the event loop, so that whatever arrives in one turn goes in one group. */
  private schedule(): void {
    if (this.scheduled || this.waiting.length === 0) return;
    if (this.options.deadline && !this.ticking)
      this.ticking = setInterval(() => this.giveUp(), DEADLINE_TICK);
    const full = this.waitingWeight >= this.options.maxCost;
    if (this.underWay.size >= (full ? this.options.maxConcurrent : 1)) return;
    if (!full && this.rests()) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.start();
    });
  }

  /** Whether it is too early for a group that is not full; comes back when it is not. */
  private rests(): boolean {
    const left = this.nextStartAt - performance.now();
    if (left <= 0) return false;
    this.resting ??= setTimeout(() => {
      this.resting = undefined;
      this.schedule();
    }, left);
    return true;
  }

  private start(): void {
    this.nextStartAt = performance.now() + (this.options.minIntervalMs ?? 0);
    let count = 0;
    let weight = 0;
    for (; weight < this.options.maxCost && count < this.waiting.length; count++) {
      weight += this.options.cost((this.waiting[count] as Waiting<Item>).item);
    }
    this.waitingWeight -= weight;
    if (count > 0) void this.run(this.waiting.splice(0, count));
    this.schedule();
  }

  private async run(group: Waiting<Item>[]): Promise<void> {
    this.underWay.add(group);
    try {
      await this.options.commit(group.map(({ item }) => item));
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    } finally {
      this.underWay.delete(group);
      this.schedule();
    }
  }

  private giveUp(): void {
    const now = performance.now();
    const late = ({ deadline }: Waiting<Item>): boolean => deadline <= now;
    const underWay = [...this.underWay].flatMap((group) => group.filter(late));
    const waiting = this.waiting.filter(late);
    this.waiting = this.waiting.filter((entry) => !late(entry));
    this.waitingWeight = this.waiting.reduce((sum, { item }) => sum + this.options.cost(item), 0);
    for (const { reject } of underWay) reject(this.options.deadline?.error(true));
    for (const { reject } of waiting) reject(this.options.deadline?.error(false));
    if (this.waiting.length > 0 || this.underWay.size > 0) return;
    clearInterval(this.ticking);
    this.ticking = undefined;
  }
}
