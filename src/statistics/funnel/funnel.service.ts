import { Injectable } from '@nestjs/common';
import { InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { EVERYTHING } from '../../platform/filters/filter.js';
import { formatProperty } from '../../platform/filters/property-name.js';
import { timestampAtMicroseconds } from '../../platform/time/timestamp.js';
import { EventQuestions } from '../../questions/event-questions.js';
import { toRange } from '../range.js';
import { ofApplication } from '../steps/actor.js';
import type { DroppedDto, FunnelDto } from './dto/funnel.dto.js';
import type {
  DroppedResponse,
  FunnelGroupResponse,
  FunnelResponse,
  SecondsResponse,
  StepCountResponse,
} from './dto/funnel-response.dto.js';
import type { FunnelQuery } from './attempts-sql.js';
import { type Funnel, type FunnelCounts, FunnelRepository, type Percentiles } from './funnel.repository.js';

/** Counts how many sessions reach each step of a funnel. */
@Injectable()
export class FunnelService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly funnels: FunnelRepository,
  ) {}

  /**
   * @param application counts only events of this application
   * @throws InvalidParametersError, InvalidFieldsError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async count(dto: FunnelDto, application: string | undefined): Promise<FunnelResponse> {
    const { steps, window, order, by, where = EVERYTHING, group_by: groupBy, limit, dropped } = dto;
    if (dropped && dropped.step > steps.length)
      throw new InvalidFieldsError({ dropped: [`step: There are only ${steps.length} steps.`] });
    const range = toRange(dto, 'UTC');
    const query: FunnelQuery = {
      scope: { ...range, filter: ofApplication(where, application) },
      steps,
      window,
      isStrict: order === 'strict',
      by,
      ...(groupBy && { groupBy }),
    };
    const as_of = await this.questions.asOf();
    const funnel = await this.funnels.count(query, limit);
    const { steps: counts, total } = toResponse(funnel.all);
    return {
      from: range.from.text,
      to: range.to.text,
      as_of,
      window,
      order,
      by: formatProperty(by),
      steps: steps.map(({ category, name, where }, index) => ({
        category,
        name,
        where,
        ...(counts[index] as StepCountResponse),
      })),
      total,
      ...(groupBy && { group_by: formatProperty(groupBy), groups: groupsOf(funnel, limit) }),
      ...(dropped && { dropped: await this.dropped(query, dropped) }),
    };
  }

  private async dropped(query: FunnelQuery, { step, limit }: DroppedDto): Promise<DroppedResponse[]> {
    const actors = await this.funnels.dropped(query, step, limit);
    return actors.map(({ id, reachedAt }) => ({
      id,
      reached_at: timestampAtMicroseconds(reachedAt).text,
    }));
  }
}

const groupsOf = ({ groups, groupCount }: Funnel, limit: number): FunnelGroupResponse[] =>
  groups.map(({ value, ...counts }) => ({
    ...(value === undefined ? { others: true, groups: groupCount - limit } : { value }),
    ...toResponse(counts),
  }));

function toResponse({ reached, times }: FunnelCounts): {
  steps: StepCountResponse[];
  total: SecondsResponse;
} {
  return {
    steps: reached.map((sessions, index) => ({
      sessions,
      ...(index > 0 && { from_previous: toSeconds(times[index - 1]) }),
    })),
    total: toSeconds(times.at(-1)),
  };
}

function toSeconds([median, p90]: Percentiles = [null, null]): SecondsResponse {
  const seconds = (microseconds: number | null): number | null =>
    microseconds === null ? null : Math.round(microseconds) / 1e6;
  return { median: seconds(median), p90: seconds(p90) };
}
