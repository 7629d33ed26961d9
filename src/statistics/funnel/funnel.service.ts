import { Injectable } from '@nestjs/common';
import { EventCountsRepository } from '../event-counts.repository.js';
import { QuestionError, readRange } from '../range.js';
import type { FunnelDto, FunnelResponse } from './dto/funnel.dto.js';
import { FunnelRepository } from './funnel.repository.js';

/** Events that a funnel reads: what PostgreSQL reads and sorts by session within QUERY_TIMEOUT, also where it is busy. */
export const MOST_EVENTS = 200_000;

/** Answers how far sessions come. */
@Injectable()
export class FunnelService {
  constructor(
    private readonly counts: EventCountsRepository,
    private readonly funnels: FunnelRepository,
  ) {}

  /** @throws QuestionError where there is too much to read, DatabaseUnavailableError */
  async count(dto: FunnelDto): Promise<FunnelResponse> {
    const { steps, window } = dto;
    const { from, to } = readRange(dto, 'UTC');
    const range = { from: from.text, to: to.text };
    const counts = await Promise.all(
      steps.map(({ category, name }) => this.counts.count({ category, name }, range)),
    );
    const events = counts.reduce((sum, count) => sum + count, 0);
    if (events > MOST_EVENTS)
      throw new QuestionError(
        'from',
        `The steps have ${events.toLocaleString('en')} events in this range, of which a funnel reads ` +
          `${MOST_EVENTS.toLocaleString('en')} at most; take a shorter one.`,
      );
    const reached = await this.funnels.sessions(steps, range, window);
    return {
      ...range,
      window,
      steps: steps.map(({ category, name }, index) => ({ category, name, sessions: reached[index] ?? 0 })),
    };
  }
}
