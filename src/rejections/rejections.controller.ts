import { Controller, Get, Header, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow, VisibleApplication } from '../auth/access.decorator.js';
import { PostgresQuestion } from '../auth/question.decorator.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { JSON_CONTENT_TYPE } from '../platform/http/media-types.js';
import { stringifyRow } from '../platform/json/raw-json.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { ListRejectionsDto } from './dto/list-rejections.dto.js';
import { RejectionPageResponse, RejectionResponse } from './dto/responses.dto.js';
import { SummaryDto, SummaryResponse } from './dto/summary.dto.js';
import { MAX_SUMMARY_BUCKETS, RejectionsService } from './rejections.service.js';

/** Lists and counts refused events. */
@ApiTags('rejections')
@Controller('rejections')
export class RejectionsController {
  constructor(private readonly rejections: RejectionsService) {}

  @Get()
  @Allow('read', 'parameter')
  @PostgresQuestion()
  @Header('content-type', JSON_CONTENT_TYPE)
  @ApiOperation({
    summary: 'List refused events',
    description:
      'Newest first by default. Of a flood of refused events, only a sample of each second and application is kept; the ' +
      'summary counts all of them.',
  })
  @ApiOkResponse({ type: RejectionPageResponse })
  @ApiProblems(400, 503)
  list(@Query(queryPipe) query: ListRejectionsDto, @Req() request: FastifyRequest): Promise<string> {
    return toPageResponse(request, this.rejections.list(query));
  }

  @Get('summary')
  @Allow('read', 'parameter')
  @PostgresQuestion({ isHeavy: true })
  @ApiOperation({
    summary: 'Count refused events',
    description:
      'By time, application, code and type. The counts are exact and include observed events. At most ' +
      `${MAX_SUMMARY_BUCKETS.toLocaleString('en')} buckets: from the one that contains \`from\` to the one that contains \`to\`.`,
  })
  @ApiOkResponse({ type: SummaryResponse })
  @ApiProblems(400, 503)
  summary(@Query(queryPipe) query: SummaryDto): Promise<SummaryResponse> {
    return this.rejections.summary(query);
  }

  @Get(':id')
  @Allow('read', 'handler')
  @PostgresQuestion()
  @AllowedParameters()
  @Header('content-type', JSON_CONTENT_TYPE)
  @ApiOperation({ summary: 'One refused event' })
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: 'From the list.' })
  @ApiOkResponse({ type: RejectionResponse })
  @ApiProblems(400, 404, 503)
  async find(@Param('id') id: string, @VisibleApplication() visible: string | undefined): Promise<string> {
    return stringifyRow(await this.rejections.find(id, visible));
  }
}
