import { Injectable } from '@nestjs/common';
import { Producer } from '../queue/producer.js';
import { type Rejection, RejectionsRepository } from './rejections.repository.js';

/** Shows what was set aside, and sends it again. */
@Injectable()
export class RejectionsService {
  constructor(
    private readonly repository: RejectionsRepository,
    private readonly producer: Producer,
  ) {}

  /** Newest first, `limit` at the most, from after the rejection `after` on; undefined where `after` is gone. */
  async list(limit: number, after?: string): Promise<Rejection[] | undefined> {
    if (after === undefined) return this.repository.list(limit);
    const place = await this.repository.find(after);
    return place && this.repository.list(limit, place);
  }

  find(id: string): Promise<Rejection | undefined> {
    return this.repository.find(id);
  }

  /**
   * Puts the event of a rejection back into the queue, and the rejection out of the list; where PostgreSQL refuses it
   * once more it comes back.
   * @returns false where there is no such rejection
   * @throws QueueUnavailableError, BacklogFullError, DatabaseUnavailableError
   */
  async retry(id: string): Promise<boolean> {
    const rejection = await this.repository.find(id);
    if (!rejection) return false;
    // First into the queue: a crash in between leaves the event in both places, never in none.
    await this.producer.add([JSON.parse(rejection.event)]);
    await this.repository.remove(rejection);
    return true;
  }
}
