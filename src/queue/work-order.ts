import { randomUUID } from 'node:crypto';
import type { BufferCommands, BufferKeys } from './buffer-scripts.js';
import { type Entry, parseEntry } from './entry.js';
import { BYTES_PER_ITEM, LEASE_MS } from './queue.constants.js';

/** Entries that an order has taken from the buffer. */
export interface Claim {
  readonly entries: readonly Entry[];
  /** Whether they are as many as one statement may store, so that more may wait. */
  readonly isFull: boolean;
  /** Whether another worker could help. */
  readonly isFurtherOrderDue: boolean;
  /** False for an order that only helps: it is over once little waits. */
  readonly isLeader: boolean;
}

/**
 * One run of an order. Bull runs an order again if its worker seems to be dead, so two runs may overlap: each claim has a label
 * of its own, and the run whose label was replaced has lost its entries to the other.
 */
export class WorkOrder {
  private readonly run = randomUUID();
  private claims = 0;
  private label = '';

  constructor(
    private readonly commands: () => BufferCommands,
    private readonly keys: BufferKeys,
    private readonly taken: string,
    private readonly id: string,
  ) {}

  /**
   * Takes entries. Repeat it after an error: it then returns what it has taken already.
   * @param maxCost what they may cost; the last entry may exceed it
   * @returns undefined if nothing is left to do for this run
   * @throws the error of ioredis
   */
  async claim(maxCost: number): Promise<Claim | undefined> {
    const { buffer, orders, lease, items, wait, active, delayed } = this.keys;
    const label = `${this.run}:${this.claims}`;
    const reply = await this.commands().claimEntries(
      ...[buffer, this.taken, orders, lease, items, wait, active, delayed],
      ...[this.id, this.label, label, maxCost, BYTES_PER_ITEM, LEASE_MS],
    );
    this.claims++;
    this.label = label;
    if (!reply) return undefined;
    const [entries, isFull, isFurtherDue, isLeader, waiting] = reply;
    if (entries.length === 0 && waiting === 0) return undefined;
    return {
      entries: entries.map(parseEntry),
      isFull: isFull === 1,
      isFurtherOrderDue: isFurtherDue === 1,
      isLeader: isLeader === 1,
    };
  }

  /**
   * Removes the entries of the last claim, which are stored.
   * @param items by which the number of items falls
   * @param isLast true if the run ends
   * @returns the number of items that are left; undefined if another run has the order
   * @throws the error of ioredis
   */
  async acknowledge(items: number, isLast: boolean): Promise<number | undefined> {
    const { orders, items: count } = this.keys;
    const left = await this.commands().acknowledgeEntries(
      ...[this.taken, orders, count],
      ...[this.id, this.label, items, isLast ? 1 : 0],
    );
    return left ?? undefined;
  }
}
