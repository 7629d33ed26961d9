import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { JsonObjectPipe } from '../../platform/http/json-object.pipe.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { Problem } from '../../platform/http/problem.js';
import { QuestionError } from '../range.js';
import { FunnelDto, FunnelResponse } from './dto/funnel.dto.js';
import { FunnelService, MOST_EVENTS } from './funnel.service.js';

/** How far sessions come. */
@ApiTags('statistics')
@Controller('statistics')
export class FunnelController {
  constructor(private readonly funnels: FunnelService) {}

  @Post('funnel')
  @HttpCode(200)
  @Allow('read')
  @AllowedParameters()
  @ApiOperation({
    summary: 'Count how many sessions reached each step',
    description:
      'A session reached a step if there is an event for it and for each step before it, each later than the one before ' +
      '(events of the same timestamp are not later than one another), all in the range, and the last within `window` seconds ' +
      `from the first. Other events may lie between them. The steps may have ${MOST_EVENTS.toLocaleString('en')} events in the ` +
      'range, counted again where a type is asked for again.',
  })
  @ApiBody({ type: FunnelDto })
  @ApiOkResponse({ type: FunnelResponse })
  @ApiProblems(400, 413, 415, 503)
  async count(@Body(new JsonObjectPipe(FunnelDto)) funnel: FunnelDto): Promise<FunnelResponse> {
    try {
      return await this.funnels.count(funnel);
    } catch (error) {
      if (!(error instanceof QuestionError)) throw error;
      throw Problem.invalid({ [error.parameter]: [error.message] });
    }
  }
}
