import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import { ClickHouseQuestion } from '../auth/question.decorator.js';
import { filterPipe } from '../platform/filters/filter.pipe.js';
import { ApiFilters } from '../platform/filters/filtered.dto.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { EventCountsDto } from './dto/parameters.dto.js';
import { MeasuredResponse } from './dto/responses.dto.js';
import { EventMeasuresService } from './measures/event-measures.service.js';
import { MAX_BUCKETS, MAX_COUNTS } from './range-buckets.js';

/** Counts and measures events by time and by group. */
@ApiTags('statistics')
@Controller('statistics')
export class StatisticsController {
  constructor(private readonly measures: EventMeasuresService) {}

  @Get('events')
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @ApiOperation({
    summary: 'Count or measure events by time',
    description:
      'By the timestamps of the events, in buckets from a minute to a year in any time zone, including empty ' +
      `buckets. Exact, whatever the range. At most ${MAX_BUCKETS.toLocaleString('en')} buckets, and with \`group_by\` at ` +
      `most ${MAX_COUNTS.toLocaleString('en')} counts: buckets times \`limit\`. ` +
      'Conditions on any property are further parameters, e.g. `data.path=/checkout` or `data.price:gte=10`. ClickHouse answers, ' +
      'and `as_of` says how far it is.',
  })
  @ApiFilters()
  @ApiOkResponse({ type: MeasuredResponse })
  @ApiProblems(400)
  events(@Query(filterPipe) query: EventCountsDto): Promise<MeasuredResponse> {
    return this.measures.measure(query);
  }
}
