export interface BulkheadOptions {
  /** Pieces of work that run at once. */
  readonly slots: number;
  /** Slots that one key may hold. */
  readonly slotsPerKey: number;
  /** Slots that heavy work may hold, so that light work need not wait for it; all of them by default. */
  readonly heavySlots?: number;
  /** Callers that may wait for a slot. */
  readonly maxWaiting: number;
  readonly maxWaitingPerKey: number;
  /** Milliseconds that a caller waits at most. */
  readonly timeoutMs: number;
}

/** Why no slot was given: the key has its share already, or all together have too many. */
export type FullReason = 'share' | 'queue';

/** There was no slot in time. */
export class BulkheadFullError extends Error {
  constructor(readonly reason: FullReason) {
    super(`No slot: ${reason}.`);
  }
}

export interface Work {
  /** Work without a key has no share. */
  readonly key: string | undefined;
  readonly isHeavy?: boolean;
  /** For work whose number is bounded elsewhere: waits this long, also beyond `maxWaiting`. */
  readonly queueTimeoutMs?: number;
}

/** Gives the slot back. */
export type Release = () => void;

interface Waiter {
  readonly isHeavy: boolean;
  readonly resolve: (release: Release) => void;
  readonly timer: NodeJS.Timeout;
}

interface Share {
  active: number;
  readonly waiting: Set<Waiter>;
}

/**
 * A bulkhead: a bounded number of slots with a bounded queue, shared fairly between keys. Freed slots go to the keys in
 * turn, however many callers of a key wait, and no key holds more than its share. Work without a key has no share: only
 * the limits for all apply to it.
 *
 * p-queue and p-limit know no keys; a Bottleneck of a group can be chained to a common one, but its queue has no deadline.
 */
export class Bulkhead {
  private active = 0;
  private activeHeavy = 0;
  private waitingCount = 0;
  /** Every key with work, in the order of their turns. */
  private readonly shares = new Map<string | undefined, Share>();

  constructor(private readonly options: BulkheadOptions) {}

  /** Callers that wait for a slot. */
  get waiting(): number {
    return this.waitingCount;
  }

  /**
   * Takes a slot that is free at once.
   * @returns undefined if there is none
   */
  tryEnter({ key, isHeavy = false }: Work): Release | undefined {
    const share = this.shareOf(key);
    // A free slot is one that no waiting caller may use: admitNext() has offered it to them.
    if (this.hasRoom(key, share, isHeavy)) return this.take(key, share, isHeavy);
    this.discardUnused(key, share);
    return undefined;
  }

  /**
   * Takes a slot, and waits for it in turn.
   * @throws BulkheadFullError, by rejecting
   */
  enter(work: Work): Promise<Release> {
    const { key, isHeavy = false, queueTimeoutMs } = work;
    const release = this.tryEnter(work);
    if (release) return Promise.resolve(release);
    const share = this.shareOf(key);
    const refusal = queueTimeoutMs === undefined ? this.refusal(key, share) : undefined;
    if (refusal) {
      this.discardUnused(key, share);
      return Promise.reject(new BulkheadFullError(refusal));
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        const reason = this.isShareFull(key, share) ? 'share' : 'queue';
        this.remove(key, share, waiter);
        reject(new BulkheadFullError(reason));
      }, queueTimeoutMs ?? this.options.timeoutMs);
      const waiter: Waiter = { isHeavy, resolve, timer };
      share.waiting.add(waiter);
      this.waitingCount++;
    });
  }

  /** Why a further caller may not wait; undefined if it may. */
  private refusal(key: string | undefined, { active, waiting }: Share): FullReason | undefined {
    const { slotsPerKey, maxWaiting, maxWaitingPerKey } = this.options;
    const usesShare = key !== undefined && (active >= slotsPerKey || waiting.size > 0);
    if (usesShare && waiting.size >= maxWaitingPerKey) return 'share';
    return this.waitingCount >= maxWaiting ? 'queue' : undefined;
  }

  private shareOf(key: string | undefined): Share {
    let share = this.shares.get(key);
    if (!share) this.shares.set(key, (share = { active: 0, waiting: new Set() }));
    return share;
  }

  private hasRoom(key: string | undefined, share: Share, isHeavy: boolean): boolean {
    const { slots, heavySlots = slots } = this.options;
    const isLaneFull = isHeavy && this.activeHeavy >= heavySlots;
    return this.active < slots && !isLaneFull && !this.isShareFull(key, share);
  }

  private isShareFull(key: string | undefined, { active }: Share): boolean {
    return key !== undefined && active >= this.options.slotsPerKey;
  }

  private take(key: string | undefined, share: Share, isHeavy: boolean): Release {
    const add = (change: 1 | -1): void => {
      this.active += change;
      share.active += change;
      if (isHeavy) this.activeHeavy += change;
    };
    add(1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      add(-1);
      this.admitNext();
      this.discardUnused(key, share);
    };
  }

  /** Gives the free slot to the first key in turn with a caller that may have it, and ends the turn of that key. */
  private admitNext(): void {
    if (this.waitingCount === 0) return;
    for (const [key, share] of this.shares) {
      for (const waiter of share.waiting) {
        if (!this.hasRoom(key, share, waiter.isHeavy)) continue;
        this.remove(key, share, waiter);
        this.shares.delete(key);
        this.shares.set(key, share);
        waiter.resolve(this.take(key, share, waiter.isHeavy));
        return;
      }
    }
  }

  private remove(key: string | undefined, share: Share, waiter: Waiter): void {
    clearTimeout(waiter.timer);
    share.waiting.delete(waiter);
    this.waitingCount--;
    this.discardUnused(key, share);
  }

  private discardUnused(key: string | undefined, share: Share): void {
    if (share.active === 0 && share.waiting.size === 0) this.shares.delete(key);
  }
}
