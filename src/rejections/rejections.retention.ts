import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { Database } from '../platform/database/database.js';
import { isOutage } from '../platform/database/database-errors.js';
import { RejectionsRepository } from './rejections.repository.js';

const DAY = 86_400_000;

/** Milliseconds between two looks for what is too old. */
const INTERVAL = 60_000;

/** Removes rejections and their counts after REJECTIONS_KEEP days, in small parts. Runs in every worker. */
@Injectable()
export class RejectionsRetention implements OnModuleInit, OnModuleDestroy {
  private readonly logger = new Logger('RejectionsRetention');
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;

  constructor(
    private readonly repository: RejectionsRepository,
    private readonly database: Database,
  ) {}

  onModuleInit(): void {
    void this.database.ready.then(
      () => this.keepRemoving(),
      () => undefined,
    );
  }

  onModuleDestroy(): void {
    this.stopping = true;
    clearTimeout(this.timer);
  }

  private async keepRemoving(): Promise<void> {
    try {
      const before = new Date(Date.now() - environment.REJECTIONS_KEEP * DAY);
      while (!this.stopping && (await this.repository.removeSome(before)));
    } catch (error) {
      if (!isOutage(error)) this.logger.error(`Old rejections could not be removed: ${String(error)}`);
    }
    if (!this.stopping) this.timer = setTimeout(() => void this.keepRemoving(), INTERVAL).unref();
  }
}
