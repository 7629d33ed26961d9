import { Injectable } from '@nestjs/common';
import { InvalidFieldsError } from '../../platform/errors/domain-error.js';
import { EVERYTHING } from '../../platform/filters/filter.js';
import { formatProperty } from '../../platform/filters/property-name.js';
import { EventQuestions } from '../../questions/event-questions.js';
import { toRange } from '../range.js';
import { bucketsOf, MAX_COUNTS, startText } from '../range-buckets.js';
import { ofApplication } from '../steps/actor.js';
import type { RetentionDto, RetentionResponse } from './dto/retention.dto.js';
import { RetentionRepository } from './retention.repository.js';

/** Counts who returns in later periods. */
@Injectable()
export class RetentionService {
  constructor(
    private readonly questions: EventQuestions,
    private readonly retention: RetentionRepository,
  ) {}

  /**
   * @param application looks at events of this application only
   * @throws InvalidParametersError, InvalidFieldsError, ClickHouseUnavailableError, QuestionTooLargeError
   */
  async measure(dto: RetentionDto, application: string | undefined): Promise<RetentionResponse> {
    const { interval, timezone, week_start, by, where = EVERYTHING, periods } = dto;
    const range = toRange(dto, timezone);
    const buckets = await bucketsOf({ interval, timezone, week_start, limit: 1 }, range);
    if (buckets.length * (periods + 1) > MAX_COUNTS)
      throw new InvalidFieldsError({
        periods: [
          `Requests more than ${MAX_COUNTS.toLocaleString('en')} counts of ${buckets.length.toLocaleString('en')} cohorts; ` +
            'use fewer periods, a longer interval or a shorter range.',
        ],
      });
    const as_of = await this.questions.asOf();
    const cohorts = await this.retention.cohorts({
      scope: { ...range, filter: ofApplication(where, application) },
      buckets,
      start: dto.start.filter,
      return: dto.return?.filter ?? EVERYTHING,
      by,
      periods,
    });
    const starts = buckets.map(startText);
    const isKnown = (period: number): boolean => (starts[period] ?? '~') <= as_of;
    return {
      from: range.from.text,
      to: range.to.text,
      as_of,
      by: formatProperty(by),
      interval,
      timezone,
      cohorts: cohorts.map(({ size, returned }, index) => ({
        start: starts[index] ?? '',
        size,
        counts: returned.map((count, offset) => (isKnown(index + offset) ? count : null)),
      })),
    };
  }
}
