import { Injectable } from '@nestjs/common';
import { environment } from '../platform/config/environment.js';
import { MS_PER_DAY } from '../platform/time/timestamp.js';
import { RejectionsRepository } from './rejections.repository.js';

/** Removes rejections and their counts after REJECTIONS_KEEP days. */
@Injectable()
export class RejectionsRetention {
  constructor(private readonly repository: RejectionsRepository) {}

  /**
   * Removes some of the old rejections.
   * @returns 0 when there may be more, so that the next run follows at once
   * @throws DatabaseUnavailableError
   */
  async run(): Promise<number | undefined> {
    const before = new Date(Date.now() - environment.REJECTIONS_KEEP * MS_PER_DAY);
    return (await this.repository.removeSome(before)) ? 0 : undefined;
  }
}
