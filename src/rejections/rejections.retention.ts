import { Injectable, Logger } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { isOutage } from '../platform/database/database-errors.js';
import { RejectionsRepository } from './rejections.repository.js';

const DAY_MS = 86_400_000;

/** Removes rejections and their counts after REJECTIONS_KEEP days, in small steps. A periodic job of every worker. */
@Injectable()
export class RejectionsRetention {
  private readonly logger = new Logger('RejectionsRetention');

  constructor(private readonly repository: RejectionsRepository) {}

  /** One run. @param signal ends it after the current step */
  async run(signal: AbortSignal): Promise<void> {
    try {
      const before = new Date(Date.now() - environment.REJECTIONS_KEEP * DAY_MS);
      while (!signal.aborted && (await this.repository.removeSome(before)));
    } catch (error) {
      if (!isOutage(error)) this.logger.error(`Old rejections could not be removed: ${String(error)}`);
    }
  }
}
