import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { Database } from '../database/database.js';
import { isOutage } from '../database/database-errors.js';
import { EventCountsUpkeep } from './event-counts.upkeep.js';

/** Milliseconds between two looks for changes. */
const INTERVAL = 1000;

/** Folds changes of counts into the running sums, a moment after events are stored. Runs in every worker. */
@Injectable()
export class EventCountsKeeper implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('EventCountsKeeper');
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;
  /** True while there is more to fold than is folded at once. */
  private behind = false;

  constructor(
    private readonly upkeep: EventCountsUpkeep,
    private readonly database: Database,
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
      more = await this.upkeep.foldSome();
      if (!more && this.behind) await this.upkeep.sweep();
      this.behind = more;
    } catch (error) {
      if (!isOutage(error)) this.logger.error(`Counts could not be folded: ${String(error)}`);
    }
    // Who catches up rests as long as that took: storing and counting go before.
    const pause = more ? Date.now() - began : INTERVAL;
    if (!this.stopping) this.timer = setTimeout(() => void this.keepFolding(), pause).unref();
  }
}
