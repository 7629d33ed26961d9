import { Injectable } from '@nestjs/common';
import { formatProperty } from '../../platform/filters/property-name.js';
import { EventQuestions } from '../../questions/event-questions.js';
import { rangeBefore, toRange } from '../range.js';
import type { PropertyValuesDto, PropertyValuesResponse } from './dto/property-values.dto.js';
import { PropertyValuesRepository } from './property-values.repository.js';

/** Ranks the values of a property. */
@Injectable()
export class PropertyValuesService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly repository: PropertyValuesRepository,
  ) {}

  /** @throws InvalidParametersError, ClickHouseUnavailableError, QuestionTooLargeError, DatabaseUnavailableError */
  async largest(dto: PropertyValuesDto): Promise<PropertyValuesResponse> {
    const { property, filter, limit } = dto;
    const range = toRange(dto, 'UTC');
    const { from, to } = range;
    const as_of = await this.questions.asOf();
    const scope = { ...range, filter };
    const { values, total, groups } = await this.repository.largest(scope, property, limit);
    const names = values.map(({ value }) => value);
    const before = rangeBefore(range);
    const [sessions, earlier] = await Promise.all([
      this.repository.sessions(scope, property, names),
      before ? this.repository.events({ ...before, filter }, property, names) : new Map<unknown, number>(),
    ]);
    const listed = values.reduce((sum, { events }) => sum + events, 0);
    return {
      from: from.text,
      to: to.text,
      as_of,
      property: formatProperty(property),
      events: total,
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
      others: { values: groups - values.length, events: total - listed },
    };
  }
}
