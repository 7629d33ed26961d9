import { Controller, Get, Header, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../auth/access.decorator.js';
import { PostgresQuestion } from '../auth/question.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JSON_CONTENT_TYPE } from '../platform/http/media-types.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { AuditService } from './audit.service.js';
import { ListAuditDto } from './dto/list-audit.dto.js';
import { AuditPageResponse } from './dto/responses.dto.js';

/** Lists who changed applications, keys and event types. */
@ApiTags('applications')
@Controller('audit')
export class AuditController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @Allow('admin', 'parameter')
  @PostgresQuestion()
  @Header('content-type', JSON_CONTENT_TYPE)
  @ApiOperation({
    summary: 'List changes',
    description:
      'Of applications, keys and event types, newest first: who made them, over HTTP or on the command line. Entries are ' +
      'never removed.',
  })
  @ApiOkResponse({ type: AuditPageResponse })
  @ApiProblems(400, 503)
  list(@Query(queryPipe) query: ListAuditDto, @Req() request: FastifyRequest): Promise<string> {
    return toPageResponse(request, this.audit.list(query));
  }
}
