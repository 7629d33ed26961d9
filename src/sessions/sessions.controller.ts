import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { EXAMPLE_STORED } from '../events/dto/example.js';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { Problem } from '../platform/http/problem.js';
import { pageLink } from '../platform/paging/page-link.js';
import { toPageResponse, toPagingProblem } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { whyNotText } from '../platform/model/event-text.js';
import { ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import { SessionEventsResponse, SessionPageResponse } from './dto/responses.dto.js';
import { SessionsService } from './sessions.service.js';

/** Which sessions there were, and what happened in them. */
@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'List sessions',
    description:
      'Newest first, by their last events. What is said of a session is of all its events, whatever the filters. ' +
      'A page costs the same wherever it lies: follow `next` and `previous`.',
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
    summary: 'What happened in a session',
    description: 'Its events in the order in which they happened, with the time between them.',
  })
  @ApiParam({
    name: 'session_id',
    schema: { type: 'string', example: EXAMPLE_STORED.session_id },
    description: 'Percent-encoded; may hold blanks and slashes.',
  })
  @ApiOkResponse({ type: SessionEventsResponse })
  @ApiProblems(400, 404, 503)
  async find(
    @Param('session_id') sessionId: string,
    @Query(queryPipe) query: ListSessionEventsDto,
    @Req() request: FastifyRequest,
  ): Promise<SessionEventsResponse> {
    const found = whyNotText(sessionId)
      ? undefined
      : await this.sessions.find(sessionId, query).catch(asThrown);
    if (!found) throw new Problem(404, 'not_found', 'There is no event of this session.');
    const { session, page } = found;
    return {
      ...session,
      next: pageLink(request, page.next),
      previous: pageLink(request, page.previous),
      results: page.results,
    };
  }
}

function asThrown(error: unknown): never {
  throw toPagingProblem(error, 'events');
}
