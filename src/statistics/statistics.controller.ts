import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { EventCountsDto, TopDto } from './dto/parameters.dto.js';
import { EventCountsResponse, TopResponse } from './dto/responses.dto.js';
import { MAX_BUCKETS, MAX_COUNTS, StatisticsService } from './statistics.service.js';

/** Counts events by time and by group. */
@ApiTags('statistics')
@Controller('statistics')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get('events')
  @Allow('read')
  @ApiOperation({
    summary: 'Count events by time',
    description:
      'By the timestamps of the events, in buckets of minutes, hours, days or weeks in any time zone, including empty ' +
      `buckets. Exact, whatever the range. At most ${MAX_BUCKETS.toLocaleString('en')} buckets, and with \`group_by\` at ` +
      `most ${MAX_COUNTS.toLocaleString('en')} counts: buckets times \`limit\`.`,
  })
  @ApiOkResponse({ type: EventCountsResponse })
  @ApiProblems(400, 503)
  events(@Query(queryPipe) query: EventCountsDto): Promise<EventCountsResponse> {
    return this.statistics.events(query);
  }

  @Get('top')
  @Allow('read')
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
