import { Injectable } from '@nestjs/common';
import { InvalidParametersError } from '../../platform/errors/domain-error.js';
import { toRange } from '../range.js';
import type { FunnelDto, FunnelResponse } from './dto/funnel.dto.js';
import { FunnelRepository } from './funnel.repository.js';

/** Events that a funnel reads. A busy PostgreSQL reads and sorts as many within QUERY_TIMEOUT. */
export const MAX_FUNNEL_EVENTS = 200_000;

/** Counts how many sessions reach each step of a funnel. */
@Injectable()
export class FunnelService {
  constructor(private readonly funnels: FunnelRepository) {}

  /**
   * @param application counts only events of this application
   * @throws InvalidParametersError when the range has more than MAX_FUNNEL_EVENTS; DatabaseUnavailableError
   */
  async count(dto: FunnelDto, application: string | undefined): Promise<FunnelResponse> {
    const { steps, window } = dto;
    const { from, to } = toRange(dto, 'UTC');
    const range = { from: from.text, to: to.text };
    if (await this.funnels.haveMoreEvents(steps, range, application, MAX_FUNNEL_EVENTS))
      throw new InvalidParametersError({
        from: [
          `The steps have more than ${MAX_FUNNEL_EVENTS.toLocaleString('en')} events in this range, which is all that a ` +
            'funnel reads; use a shorter range.',
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
