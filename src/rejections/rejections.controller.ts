import { Controller, Get, Param, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { Problem } from '../platform/http/problem.js';
import { toPageResponse } from '../platform/paging/page-response.js';
import { queryPipe } from '../platform/paging/query.pipe.js';
import { isTimeOrderedId } from '../platform/model/time-ordered-id.js';
import { ListRejectionsDto } from './dto/list-rejections.dto.js';
import { RejectionPageResponse, RejectionResponse } from './dto/responses.dto.js';
import { SummaryDto, SummaryResponse } from './dto/summary.dto.js';
import { MOST_BUCKETS, RejectionsService, SummaryError } from './rejections.service.js';

/** What was refused, and why. */
@ApiTags('rejections')
@Controller('rejections')
export class RejectionsController {
  constructor(private readonly rejections: RejectionsService) {}

  @Get()
  @Allow('read')
  @ApiOperation({
    summary: 'List what was refused',
    description:
      'Newest first unless told otherwise. A flood of refused events is kept in examples only, so many of an application ' +
      'a second; the summary counts them all.',
  })
  @ApiOkResponse({ type: RejectionPageResponse })
  @ApiProblems(400, 503)
  list(
    @Query(queryPipe) query: ListRejectionsDto,
    @Req() request: FastifyRequest,
  ): Promise<RejectionPageResponse> {
    return toPageResponse(request, this.rejections.list(query));
  }

  @Get('summary')
  @Allow('read')
  @ApiOperation({
    summary: 'Count what was refused',
    description:
      `By time, application, code and type; exact, what was only observed among it. At most ${MOST_BUCKETS.toLocaleString('en')} buckets: the one ` +
      'that `from` lies in, the one that `to` lies in, and those between them.',
  })
  @ApiOkResponse({ type: SummaryResponse })
  @ApiProblems(400, 503)
  async summary(@Query(queryPipe) query: SummaryDto): Promise<SummaryResponse> {
    try {
      return await this.rejections.summary(query);
    } catch (error) {
      if (!(error instanceof SummaryError)) throw error;
      throw Problem.invalid(
        { [error.parameter]: [error.message] },
        'Some parameters are not as they must be.',
      );
    }
  }

  @Get(':id')
  @Allow('read')
  @AllowedParameters()
  @ApiOperation({ summary: 'One thing that was refused' })
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: 'From the list.' })
  @ApiOkResponse({ type: RejectionResponse })
  @ApiProblems(400, 404, 503)
  async find(@Param('id') id: string): Promise<RejectionResponse> {
    const rejection = isTimeOrderedId(id) ? await this.rejections.find(id) : undefined;
    if (!rejection) throw noSuchRejection();
    return rejection;
  }
}

export function noSuchRejection(): Problem {
  return new Problem(404, 'not_found', 'There is no such rejection.');
}
