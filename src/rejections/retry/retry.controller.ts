import { Controller, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { PostgresQuestion } from '../../auth/question.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { locationOf } from '../../platform/http/links.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { pageLink } from '../../platform/paging/page-link.js';
import { queryPipe } from '../../platform/paging/query.pipe.js';
import { RetryManyDto } from '../dto/list-rejections.dto.js';
import { RetriedManyResponse, RetriedResponse } from './dto/retry.dto.js';
import { MAX_RETRIES, RetryService } from './retry.service.js';

/** Sends refused events again. */
@ApiTags('rejections')
@Controller('rejections')
export class RetryController {
  constructor(private readonly retries: RetryService) {}

  @Post('retry')
  @Allow('admin', 'parameter')
  @PostgresQuestion({ isHeavy: true })
  @HttpCode(200)
  @ApiOperation({
    summary: 'Retry many',
    description:
      `Sends the matching events again, newest first, at most ${MAX_RETRIES.toLocaleString('en')} a call; \`next\` leads to the others. ` +
      'An event that is accepted leaves the list; one that is refused again stays, with its current errors.',
  })
  @ApiOkResponse({ type: RetriedManyResponse })
  @ApiProblems(400, 413, 415, 503)
  async retryMany(
    @Query(queryPipe) query: RetryManyDto,
    @Req() request: FastifyRequest,
  ): Promise<RetriedManyResponse> {
    const { retried, accepted, refused, leftOut, next } = await this.retries.retryMany(query);
    return {
      retried,
      accepted,
      refused,
      left_out: leftOut,
      more: next !== null,
      next: pageLink(request, next),
    };
  }

  @Post(':id/retry')
  @Allow('admin', 'handler')
  @PostgresQuestion()
  @AllowedParameters()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Retry one',
    description:
      'Sends the event again, as its own application. The timestamp of an event that had none is the time of its arrival.',
  })
  @ApiParam({
    name: 'id',
    schema: { type: 'string', format: 'uuid' },
    description: 'Id of the rejection.',
  })
  @ApiAcceptedResponse({
    type: RetriedResponse,
    description: 'The event is durable in the queue.',
    headers: {
      Location: { description: 'Address of the event, once it is stored.', schema: { type: 'string' } },
    },
  })
  @ApiProblems(400, 404, 409, 413, 415, 503)
  async retry(
    @Param('id') id: string,
    @VisibleApplication() visible: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RetriedResponse> {
    const event = await this.retries.retry(id, visible);
    reply.header('location', locationOf(`/events/${event.id}/`));
    return { id: event.id, status: 'queued' };
  }
}
