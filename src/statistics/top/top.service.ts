import { Injectable } from '@nestjs/common';
import { InvalidParametersError } from '../../platform/errors/domain-error.js';
import { formatProperty } from '../../platform/filters/property-name.js';
import type { Property } from '../../platform/filters/filter.js';
import { EventQuestions, type EventScope } from '../../questions/event-questions.js';
import { type Range, rangeBefore, rangeYearBefore, toRange } from '../range.js';
import { type LargestValues, PropertyValuesRepository } from './property-values.repository.js';
import { TopRepository } from './top.repository.js';
import type { TopDto } from './dto/parameters.dto.js';
import type { TopResponse, TopValuesResponse } from './dto/responses.dto.js';

const TIMEZONE = 'UTC';

/** Ranks what events have in common. */
@Injectable()
export class TopService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly groups: TopRepository,
    private readonly values: PropertyValuesRepository,
  ) {}

  /** @throws InvalidParametersError, ClickHouseUnavailableError, QuestionTooLargeError, DatabaseUnavailableError */
  async top(dto: TopDto): Promise<TopResponse | TopValuesResponse> {
    const { property, compare } = dto;
    if (property) return this.topValues(dto, property);
    if (compare) throw new InvalidParametersError({ compare: ['Needs the parameter `property`.'] });
    const range = toRange(dto, TIMEZONE);
    const as_of = await this.questions.asOf();
    return {
      ...toText(range),
      as_of,
      ...(await this.groups.largest({ ...range, filter: dto.filter }, dto.limit)),
    };
  }

  private async topValues(dto: TopDto, property: Property): Promise<TopValuesResponse> {
    const { filter, limit, compare = 'previous' } = dto;
    const range = toRange(dto, TIMEZONE);
    const before = compare === 'previous' ? rangeBefore(range) : rangeYearBefore(range, TIMEZONE);
    const as_of = await this.questions.asOf();
    const scope = { ...range, filter };
    const [largest, total] = await Promise.all([
      this.values.largest(scope, property, limit),
      this.values.total(scope),
    ]);
    return {
      ...toText(range),
      as_of,
      property: formatProperty(property),
      total,
      events: largest.total,
      compared: before ? toText(before) : null,
      ...(await this.described(scope, before && { ...before, filter }, property, largest, total)),
    };
  }

  private async described(
    scope: EventScope,
    before: EventScope | undefined,
    property: Property,
    { values, total: withValue, groups }: LargestValues,
    total: number,
  ): Promise<Pick<TopValuesResponse, 'values' | 'others'>> {
    const names = values.map(({ value }) => value);
    const [sessions, earlier] = await Promise.all([
      this.values.sessions(scope, property, names),
      before ? this.values.events(before, property, names) : new Map<unknown, number>(),
    ]);
    const listed = values.reduce((sum, { events }) => sum + events, 0);
    return {
      values: values.map(({ value, events }) => {
        const previous_events = earlier.get(value) ?? 0;
        return {
          value,
          events,
          sessions: sessions.get(value) ?? 0,
          share: events / total,
          previous_events,
          change: previous_events === 0 ? null : events / previous_events - 1,
        };
      }),
      others: { values: groups - values.length, events: withValue - listed },
    };
  }
}

function toText({ from, to }: Range): { from: string; to: string } {
  return { from: from.text, to: to.text };
}
