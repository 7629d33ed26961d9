import { Controller, Get, Query } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiOperation, ApiTags, getSchemaPath } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import { EitherQuestion, Question } from '../auth/question.decorator.js';
import { filterPipe } from '../platform/filters/filter.pipe.js';
import { ApiFilters } from '../platform/filters/filtered.dto.js';
import { isCondition } from '../platform/filters/query-filter.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { EventCountsDto, TopDto } from './dto/parameters.dto.js';
import { EventCountsResponse, MeasuredResponse, TopResponse } from './dto/responses.dto.js';
import { GROUPS } from './groups.js';
import { MAX_BUCKETS, MAX_COUNTS } from './range-buckets.js';
import { StatisticsService } from './statistics.service.js';

/**
 * PostgreSQL keeps counts by application, category and name; ClickHouse answers everything else.
 * @param parameters of a request, which need not be valid
 */
function isOfClickHouse({
  measure = 'events',
  group_by = 'type',
  ...others
}: Readonly<Record<string, unknown>>): boolean {
  return (
    measure !== 'events' ||
    !Object.hasOwn(GROUPS, group_by as string) ||
    ['session_id', 'compare', 'precision'].some((name) => others[name] !== undefined) ||
    Object.keys(others).some(isCondition)
  );
}

/** Counts events by time and by group. */
@ApiTags('statistics')
@Controller('statistics')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get('events')
  @Allow('read', 'parameter')
  @EitherQuestion(isOfClickHouse, { isHeavy: true })
  @ApiOperation({
    summary: 'Count or measure events by time',
    description:
      'By the timestamps of the events, in buckets from a minute to a year in any time zone, including empty ' +
      `buckets. Exact, whatever the range. At most ${MAX_BUCKETS.toLocaleString('en')} buckets, and with \`group_by\` at ` +
      `most ${MAX_COUNTS.toLocaleString('en')} counts: buckets times \`limit\`. ` +
      'Conditions on any property are further parameters, e.g. `data.path=/checkout` or `data.price:gte=10`. Counts by ' +
      'application, category and name come from PostgreSQL; with conditions, a session, other groups, `measure` or ' +
      '`compare`, ClickHouse answers, and `as_of` says how far it is.',
  })
  @ApiFilters()
  @ApiExtraModels(EventCountsResponse, MeasuredResponse)
  @ApiOkResponse({
    schema: {
      oneOf: [EventCountsResponse, MeasuredResponse].map((model) => ({ $ref: getSchemaPath(model) })),
    },
  })
  @ApiProblems(400)
  events(
    @Query(filterPipe) query: EventCountsDto,
    @Query() parameters: Readonly<Record<string, unknown>>,
  ): Promise<EventCountsResponse | MeasuredResponse> {
    return this.statistics.events(query, isOfClickHouse(parameters));
  }

  @Get('top')
  @Allow('read', 'parameter')
  @Question({ isHeavy: true })
  @ApiOperation({
    summary: 'Rank applications, categories, names and types',
    description: 'By the number of events in the range. Exact, whatever the range. Dates are days in UTC.',
  })
  @ApiOkResponse({ type: TopResponse })
  @ApiProblems(400, 503)
  top(@Query(queryPipe) query: TopDto): Promise<TopResponse> {
    return this.statistics.top(query);
  }
}
