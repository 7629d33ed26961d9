import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { EXAMPLE_STORED } from '../events/dto/example.js';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { pageLink } from '../platform/paging/page-link.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import { SessionEventsResponse, SessionPageResponse } from './dto/responses.dto.js';
import { SessionsService } from './sessions.service.js';

/** Lists sessions and the events of a session. */
@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'List sessions',
    description:
      'Ordered by their last events, newest first. The values of a session cover all its events, whatever the filters. ' +
      'Every page costs the same: follow `next` and `previous`.',
  })
  @ApiOkResponse({ type: SessionPageResponse })
  @ApiProblems(400, 503)
  list(
    @Query(queryPipe) query: ListSessionsDto,
    @Req() request: FastifyRequest,
  ): Promise<SessionPageResponse> {
    return toPageResponse(request, this.sessions.list(query));
  }

  @Get(':session_id')
  @Allow('read')
  @ApiOperation({
    summary: 'Get a session and its events',
    description: 'The events are ordered by timestamp, with the time between them.',
  })
  @ApiParam({
    name: 'session_id',
    schema: { type: 'string', example: EXAMPLE_STORED.session_id },
    description: 'Percent-encoded; may contain spaces and slashes.',
  })
  @ApiOkResponse({ type: SessionEventsResponse })
  @ApiProblems(400, 404, 503)
  async find(
    @Param('session_id') sessionId: string,
    @Query(queryPipe) query: ListSessionEventsDto,
    @Req() request: FastifyRequest,
  ): Promise<SessionEventsResponse> {
    const { session, page } = await this.sessions.find(sessionId, query);
    return {
      ...session,
      next: pageLink(request, page.next),
      previous: pageLink(request, page.previous),
      results: page.results,
    };
  }
}
