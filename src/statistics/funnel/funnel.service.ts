import { Injectable } from '@nestjs/common';
import { InvalidParametersError } from '../../platform/errors/domain-error.js';
import { EventCountsRepository } from '../event-counts.repository.js';
import { toRange } from '../range.js';
import type { FunnelDto, FunnelResponse } from './dto/funnel.dto.js';
import { FunnelRepository } from './funnel.repository.js';

/** Events that a funnel reads. A busy PostgreSQL reads and sorts as many within QUERY_TIMEOUT. */
export const MAX_FUNNEL_EVENTS = 200_000;

/** Counts how many sessions reach each step of a funnel. */
@Injectable()
export class FunnelService {
  constructor(
    private readonly counts: EventCountsRepository,
    private readonly funnels: FunnelRepository,
  ) {}

  /**
   * @param application counts only events of this application
   * @throws InvalidParametersError when the range has more than MAX_FUNNEL_EVENTS; DatabaseUnavailableError
   */
  async count(dto: FunnelDto, application: string | undefined): Promise<FunnelResponse> {
    const { steps, window } = dto;
    const { from, to } = toRange(dto, 'UTC');
    const range = { from: from.text, to: to.text };
    const counts = await Promise.all(
      steps.map(({ category, name }) => this.counts.count({ application, category, name }, range)),
    );
    const events = counts.reduce((sum, count) => sum + count, 0);
    if (events > MAX_FUNNEL_EVENTS)
      throw new InvalidParametersError({
        from: [
          `The steps have ${events.toLocaleString('en')} events in this range, but a funnel reads at most ` +
            `${MAX_FUNNEL_EVENTS.toLocaleString('en')}; use a shorter range.`,
        ],
      });
    const reached = await this.funnels.sessions(steps, range, window, application);
    return {
      ...range,
      window,
      steps: steps.map(({ category, name }, index) => ({ category, name, sessions: reached[index] ?? 0 })),
    };
  }
}
