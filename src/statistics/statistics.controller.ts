import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { Problem } from '../platform/http/problem.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { EventCountsDto, TopDto } from './dto/parameters.dto.js';
import { EventCountsResponse, TopResponse } from './dto/responses.dto.js';
import { QuestionError } from './range.js';
import { MOST_BUCKETS, MOST_COUNTS, StatisticsService } from './statistics.service.js';

/** How many events there were. */
@ApiTags('statistics')
@Controller('statistics')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get('events')
  @Allow('read')
  @ApiOperation({
    summary: 'Count events by time',
    description:
      "By the events' own timestamps, in buckets of minutes, hours, days or weeks of any time zone, empty ones too; " +
      `exact, whatever the range. At most ${MOST_BUCKETS.toLocaleString('en')} buckets, and with \`group_by\` ` +
      `${MOST_COUNTS.toLocaleString('en')} counts: buckets times \`limit\`.`,
  })
  @ApiOkResponse({ type: EventCountsResponse })
  @ApiProblems(400, 503)
  events(@Query(queryPipe) query: EventCountsDto): Promise<EventCountsResponse> {
    return answered(this.statistics.events(query));
  }

  @Get('top')
  @Allow('read')
  @ApiOperation({
    summary: 'The largest applications, categories, names and types',
    description: 'Of the events of a range; exact, whatever the range. Dates are those of UTC.',
  })
  @ApiOkResponse({ type: TopResponse })
  @ApiProblems(400, 503)
  top(@Query(queryPipe) query: TopDto): Promise<TopResponse> {
    return answered(this.statistics.top(query));
  }
}

/** @throws Problem 400 where the question cannot be answered as it was asked */
async function answered<Response>(answer: Promise<Response>): Promise<Response> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof QuestionError)) throw error;
    throw Problem.invalid({ [error.parameter]: [error.message] }, 'Some parameters are not as they must be.');
  }
}
