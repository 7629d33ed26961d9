import { Controller, Get, Header, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { EXAMPLE_STORED } from '../events/dto/example.js';
import { Allow, VisibleApplication } from '../auth/access.decorator.js';
import { ClickHouseQuestion, PostgresQuestion } from '../auth/question.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { RawJson, stringifyRow, stringifyRows } from '../platform/json/raw-json.js';
import { pageLink } from '../platform/paging/page-link.js';
import { JSON_CONTENT_TYPE } from '../platform/http/media-types.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { ApiSessionFilters, ListSessionEventsDto, ListSessionsDto } from './dto/parameters.dto.js';
import { SessionEventsResponse, SessionPageResponse } from './dto/responses.dto.js';
import { sessionFilterPipe } from './session-filter.pipe.js';
import { SessionsService } from './sessions.service.js';

/** Lists sessions and the events of a session. */
@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  @Get()
  @Allow('read', 'parameter')
  @ClickHouseQuestion()
  @Header('content-type', JSON_CONTENT_TYPE)
  @ApiOperation({
    summary: 'List sessions',
    description:
      'Ordered by their last events, newest first. The values of a session cover all its events, whatever the filters; ' +
      'for a key of one application, all events of that application, as if there were no others. Every page costs the same: ' +
      'follow `next` and `previous`. Conditions select whole sessions (`duration:gte=60`) and sessions with an event that ' +
      'meets them (`data.path=/checkout`). A condition that few sessions meet costs more: add `timestamp_after`.',
  })
  @ApiSessionFilters()
  @ApiOkResponse({ type: SessionPageResponse })
  @ApiProblems(400, 503)
  list(
    @Query(sessionFilterPipe) query: ListSessionsDto,
    @VisibleApplication() visible: string | undefined,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    return toPageResponse(request, this.sessions.list(query, visible));
  }

  @Get(':session_id')
  @Allow('read', 'handler')
  @PostgresQuestion()
  @Header('content-type', JSON_CONTENT_TYPE)
  @ApiOperation({
    summary: 'Get a session and its events',
    description:
      'The events are ordered by timestamp, with the time between them. A key of one application sees the events of that ' +
      'application, and all values are those of these events.',
  })
  @ApiParam({
    name: 'session_id',
    schema: { type: 'string', example: EXAMPLE_STORED.session_id },
    description:
      'Percent-encoded; may contain spaces and slashes. If it is `.` or `..`, send `_` here, and the parameter `session_id`.',
  })
  @ApiOkResponse({ type: SessionEventsResponse })
  @ApiProblems(400, 404, 503)
  async find(
    @Param('session_id') sessionId: string,
    @Query(queryPipe) query: ListSessionEventsDto,
    @VisibleApplication() visible: string | undefined,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    const { session, page } = await this.sessions.find(sessionId, query, visible);
    return stringifyRow({
      ...session,
      next: pageLink(request, page.next),
      previous: pageLink(request, page.previous),
      results: new RawJson(stringifyRows(page.results)),
    });
  }
}
