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
    try {
      let many = false;
      while (!this.stopping && (await this.upkeep.foldSome())) many = true;
      if (many) await this.upkeep.sweep();
    } catch (error) {
      if (!isOutage(error)) this.logger.error(`Counts could not be folded: ${String(error)}`);
    }
    // Where folding is much work, it leaves PostgreSQL three quarters of the time: the longer it waits, the less it is.
    const pause = Math.max(INTERVAL, 3 * (Date.now() - began));
    if (!this.stopping) this.timer = setTimeout(() => void this.keepFolding(), pause).unref();
  }
}
