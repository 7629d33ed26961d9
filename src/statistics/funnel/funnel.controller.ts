import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { ClickHouseQuestion } from '../../auth/question.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { JsonObjectPipe } from '../../platform/http/json-object.pipe.js';
import { FunnelDto } from './dto/funnel.dto.js';
import { FunnelResponse } from './dto/funnel-response.dto.js';
import { FunnelService } from './funnel.service.js';

/** Counts how many sessions reach each step of a funnel. */
@ApiTags('statistics')
@Controller('statistics/funnel')
export class FunnelController {
  constructor(private readonly funnels: FunnelService) {}

  @Post()
  @HttpCode(200)
  @Allow('read', 'handler')
  @ClickHouseQuestion()
  @AllowedParameters()
  @ApiOperation({
    summary: 'Count how many sessions reached each step',
    description:
      'A session reached a step if it has an event for that step and for each step before it, each later than the one ' +
      'before, all in the range, and the last at most `window` seconds after the first. Events with the same timestamp ' +
      'are not later than one another. Other events may lie between them, unless `order` is `strict`. Exact, over any number of ' +
      'events. Times and groups are those of the earliest attempt that got furthest, with the first event for each step.',
  })
  @ApiBody({ type: FunnelDto })
  @ApiOkResponse({ type: FunnelResponse })
  @ApiProblems(400, 413, 415, 422, 503)
  count(
    @Body(new JsonObjectPipe(FunnelDto)) funnel: FunnelDto,
    @VisibleApplication() visible: string | undefined,
  ): Promise<FunnelResponse> {
    return this.funnels.count(funnel, visible);
  }
}
