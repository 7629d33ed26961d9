import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { Question } from '../../auth/question.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { JsonObjectPipe } from '../../platform/http/json-object.pipe.js';
import { FunnelDto, FunnelResponse } from './dto/funnel.dto.js';
import { FunnelService, MAX_FUNNEL_EVENTS } from './funnel.service.js';

/** Counts how many sessions reach each step of a funnel. */
@ApiTags('statistics')
@Controller('statistics/funnel')
export class FunnelController {
  constructor(private readonly funnels: FunnelService) {}

  @Post()
  @HttpCode(200)
  @Allow('read', 'handler')
  @Question({ isHeavy: true })
  @AllowedParameters()
  @ApiOperation({
    summary: 'Count how many sessions reached each step',
    description:
      'A session reached a step if it has an event for that step and for each step before it, each later than the one ' +
      'before, all in the range, and the last at most `window` seconds after the first. Events with the same timestamp ' +
      'are not later than one another. Other events may lie between them. The steps may have ' +
      `${MAX_FUNNEL_EVENTS.toLocaleString('en')} events in the range; a type that occurs in several steps counts once a step.`,
  })
  @ApiBody({ type: FunnelDto })
  @ApiOkResponse({ type: FunnelResponse })
  @ApiProblems(400, 413, 415, 503)
  count(
    @Body(new JsonObjectPipe(FunnelDto)) funnel: FunnelDto,
    @VisibleApplication() visible: string | undefined,
  ): Promise<FunnelResponse> {
    return this.funnels.count(funnel, visible);
  }
}
