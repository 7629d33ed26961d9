/** Changes that were appended in the transaction of their events, and are folded into what is kept. */
export interface Changes {
  /** How many are folded at once, so that no transaction is long. */
  readonly atOnce: number;
  /** Folds some, and says how many; none where another process is about to. */
  foldSome(): Promise<number>;
  /** Gives the room of folded changes back at once: whoever reads reads all of their table. */
  sweep(): Promise<void>;
}

/** Folded changes whose room is given back at once: whoever reads reads past it. */
const SWEPT = 2000;

/** Folds changes a moment after events are stored. */
export abstract class ChangesKeeper {
  /** True while there is more to fold than is folded at once. */
  private behind = false;

  protected constructor(private readonly changes: Changes) {}

  /**
   * Folds some changes.
   * @returns milliseconds until the next run while there is more to fold; otherwise undefined
   * @throws DatabaseUnavailableError
   */
  async run(): Promise<number | undefined> {
    const startedAt = Date.now();
    const folded = await this.changes.foldSome();
    const more = folded >= this.changes.atOnce;
    if (!more && (this.behind || folded >= SWEPT)) await this.changes.sweep();
    this.behind = more;
    // While behind, pause as long as the last run took, so that inserts and reads have priority.
    return more ? Date.now() - startedAt : undefined;
  }
}
