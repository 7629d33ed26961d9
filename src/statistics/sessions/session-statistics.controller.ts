import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { ClickHouseQuestion } from '../../auth/question.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { ApiSessionFilters } from '../../sessions/dto/parameters.dto.js';
import { sessionFilterPipe } from '../../sessions/session-filter.pipe.js';
import { MAX_BUCKETS, MAX_COUNTS } from '../range-buckets.js';
import { SessionStatisticsDto } from './dto/parameters.dto.js';
import { SessionStatisticsResponse } from './dto/responses.dto.js';
import { SessionStatisticsService } from './session-statistics.service.js';

/** Measures sessions by time and by group. */
@ApiTags('statistics')
@Controller('statistics/sessions')
export class SessionStatisticsController {
  constructor(private readonly statistics: SessionStatisticsService) {}

  @Get()
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @ApiOperation({
    summary: 'Measure sessions by time',
    description:
      'How many sessions there are, the share of those with one event, the median and the 90th percentile of their durations, and ' +
      'their events on average. A session belongs to the range and to the bucket of its first event, and is whole: also what it ' +
      'has after the end of the range counts. Exact. ' +
      `At most ${MAX_BUCKETS.toLocaleString('en')} buckets, and with \`group_by\` at most ${MAX_COUNTS.toLocaleString('en')} ` +
      'buckets times `limit`.',
  })
  @ApiSessionFilters()
  @ApiOkResponse({ type: SessionStatisticsResponse })
  @ApiProblems(400)
  measure(
    @Query(sessionFilterPipe) query: SessionStatisticsDto,
    @VisibleApplication() visible: string | undefined,
  ): Promise<SessionStatisticsResponse> {
    return this.statistics.measure(query, visible);
  }
}
