import { environment } from '../config/environment.js';

/** Changes that were appended in the transaction of their events, and are folded into what is kept. */
export interface Changes {
  /** How many are folded at once, so that no transaction is long. */
  readonly atOnce: number;
  /** Folds so many at most, and says how many; none where another process is about to. */
  foldSome(limit: number): Promise<number>;
  /** Gives the room of folded changes back at once: whoever reads reads all of their table. */
  sweep(): Promise<void>;
}

/** Folded changes whose room is given back at once: whoever reads reads past it. */
const SWEPT = 2000;

/** A step that takes longer than this share of its time limit is large enough. */
const LONG_STEP_SHARE = 1 / 4;

/** Folds changes a moment after events are stored. */
export abstract class ChangesKeeper {
  /** True while there is more to fold than is folded at once. */
  private behind = false;

  /** How many are folded in one step. A step that failed, probably because it took too long, is halved. */
  private stepSize: number;

  protected constructor(private readonly changes: Changes) {
    this.stepSize = changes.atOnce;
  }

  /**
   * Folds some changes.
   * @returns milliseconds until the next run while there is more to fold; otherwise undefined
   * @throws DatabaseUnavailableError
   */
  async run(): Promise<number | undefined> {
    const { stepSize } = this;
    const startedAt = Date.now();
    const folded = await this.foldStep();
    const more = folded >= stepSize;
    if (!more && (this.behind || folded >= SWEPT)) await this.changes.sweep();
    this.behind = more;
    // While behind, pause as long as the last run took, so that inserts and reads have priority.
    return more ? Date.now() - startedAt : undefined;
  }

  private async foldStep(): Promise<number> {
    const { stepSize } = this;
    const startedAt = Date.now();
    try {
      const folded = await this.changes.foldSome(stepSize);
      const isShort = Date.now() - startedAt < LONG_STEP_SHARE * environment.STORE_TIMEOUT;
      if (isShort) this.stepSize = Math.min(2 * stepSize, this.changes.atOnce);
      return folded;
    } catch (error) {
      this.stepSize = Math.max(1, Math.floor(stepSize / 2));
      throw error;
    }
  }
}
