import { AsyncLocalStorage } from 'node:async_hooks';
import pLimit from 'p-limit';
import type { Release } from './bulkhead.js';

const current = new AsyncLocalStorage<Question>();

/** The question for which the current code runs; undefined outside of one. */
export const currentQuestion = (): Question | undefined => current.getStore();

/**
 * A question that was admitted: it holds a slot, which stands for one connection. It accounts for the time that the
 * server, PostgreSQL or ClickHouse, works for it.
 */
export class Question {
  /** Milliseconds that the server worked, the sum over all statements, and those that `charge` added. */
  workedMs = 0;
  private readonly ownSlot = pLimit(1);

  /**
   * @param tryEnter takes another slot if one is free at once
   * @param signal aborted when nobody waits for the answer any more
   * @param keyId of the key that asks; undefined without one
   */
  constructor(
    private readonly tryEnter: () => Release | undefined,
    readonly signal?: AbortSignal,
    readonly keyId?: string,
  ) {}

  /** Adds work of this process that is worth counting. */
  charge(ms: number): void {
    this.workedMs += ms;
  }

  /** Runs `work`, whose statements then belong to this question, wherever they are run. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return current.run(this, work);
  }

  /**
   * Runs one statement: in the slot of the question, or, while another of its statements is in it, in a free one. Thus no
   * more statements run than there are connections, and none waits for a connection that another question holds.
   */
  async statement<Result>(work: () => Promise<Result>): Promise<Result> {
    const release = this.ownSlot.activeCount === 0 ? undefined : this.tryEnter();
    if (!release) return this.ownSlot(() => this.measured(work));
    try {
      return await this.measured(work);
    } finally {
      release();
    }
  }

  private async measured<Result>(work: () => Promise<Result>): Promise<Result> {
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      this.workedMs += performance.now() - startedAt;
    }
  }
}
