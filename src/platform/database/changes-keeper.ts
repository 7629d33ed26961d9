import { Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Database } from './database.js';
import { isOutage } from './database-errors.js';

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
export abstract class ChangesKeeper implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger(this.constructor.name);
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;
  /** True while there is more to fold than is folded at once. */
  private behind = false;

  /** @param interval milliseconds between two looks for changes */
  protected constructor(
    private readonly changes: Changes,
    private readonly database: Database,
    private readonly interval = 1000,
  ) {}

  onModuleInit(): void {
    void this.database.ready.then(
      () => this.keepFolding(),
      () => undefined,
    );
  }

  onModuleDestroy(): void {
    this.stopping = true;
    clearTimeout(this.timer);
  }

  private async keepFolding(): Promise<void> {
    const began = Date.now();
    let more = false;
    try {
      const folded = await this.changes.foldSome();
      more = folded >= this.changes.atOnce;
      if (!more && (this.behind || folded >= SWEPT)) await this.changes.sweep();
      this.behind = more;
    } catch (error) {
      if (!isOutage(error)) this.logger.error(`Changes could not be folded: ${String(error)}`);
    }
    // Who catches up rests as long as that took: storing and reading go before.
    const pause = more ? Date.now() - began : this.interval;
    if (!this.stopping) this.timer = setTimeout(() => void this.keepFolding(), pause).unref();
  }
}
