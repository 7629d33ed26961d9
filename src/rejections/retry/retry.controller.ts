import { Controller, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import { pageLink } from '../../platform/paging/page-link.js';
import { toPagingProblem } from '../../platform/paging/page-response.js';
import { queryPipe } from '../../platform/paging/query.pipe.js';
import { RejectionFilterDto } from '../dto/list-rejections.dto.js';
import { noSuchRejection } from '../rejections.controller.js';
import { isTimeOrderedId } from '../../platform/model/time-ordered-id.js';
import { RetriedManyResponse, RetriedResponse } from './dto/retry.dto.js';
import { CutEventError, MAX_RETRIES, type Retried, RetryService } from './retry.service.js';

/** Sends again what was refused. Stands with the events, whose way a retry takes. */
@ApiTags('rejections')
@Controller('rejections')
export class RetryController {
  constructor(private readonly retries: RetryService) {}

  @Post('retry')
  @Allow('admin')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Try many again',
    description:
      `Sends again what the filters match, newest first, ${MAX_RETRIES.toLocaleString('en')} a call; \`next\` leads on. ` +
      'What is accepted now leaves the list; what is refused again stays, with what is wrong with it now.',
  })
  @ApiOkResponse({ type: RetriedManyResponse })
  @ApiProblems(400, 413, 415, 503)
  async retryMany(
    @Query(queryPipe) query: RejectionFilterDto,
    @Req() request: FastifyRequest,
  ): Promise<RetriedManyResponse> {
    try {
      const { retried, accepted, refused, leftOut, next } = await this.retries.retryMany(query);
      return {
        retried,
        accepted,
        refused,
        left_out: leftOut,
        more: next !== null,
        next: pageLink(request, next),
      };
    } catch (error) {
      throw toPagingProblem(error, 'rejections');
    }
  }

  @Post(':id/retry')
  @Allow('admin')
  @AllowedParameters()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Try one again',
    description:
      'Sends the event the same way once more, as its own application. An event that came without a timestamp happened ' +
      'when it was refused.',
  })
  @ApiParam({ name: 'id', schema: { type: 'string', format: 'uuid' }, description: "The rejection's." })
  @ApiAcceptedResponse({
    type: RetriedResponse,
    description: 'The event is durably in the queue.',
    headers: { Location: { description: 'Where the event will be found.', schema: { type: 'string' } } },
  })
  @ApiProblems(400, 404, 409, 413, 415, 503)
  async retry(
    @Param('id') id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RetriedResponse> {
    const retried = isTimeOrderedId(id) ? await this.retryOne(id) : undefined;
    if (!retried) throw noSuchRejection();
    if ('refusal' in retried) {
      throw new Problem(409, 'still_refused', 'The event is refused again; the rejection says why.', {
        errors: retried.refusal.errors,
      });
    }
    reply.header('location', `/events/${retried.event.id}/`);
    return { id: retried.event.id, status: 'queued' };
  }

  private async retryOne(id: string): Promise<Retried | undefined> {
    try {
      return await this.retries.retry(id);
    } catch (error) {
      if (!(error instanceof CutEventError)) throw error;
      throw new Problem(
        409,
        'event_cut',
        'The event was too large to be kept whole, or was not read, so it cannot be sent again.',
      );
    }
  }
}
