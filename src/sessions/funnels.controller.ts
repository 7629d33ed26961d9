import { Body, Controller, HttpCode, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../http/access.js';
import { ApiProblems } from '../http/api-problems.js';
import { JsonObjectPipe } from '../http/json-object.pipe.js';
import { OnlyParameters } from '../http/only-parameters.js';
import { Problem } from '../http/problem.js';
import { QuestionError } from '../statistics/range.js';
import { FunnelDto, FunnelResponse } from './dto/funnel.dto.js';
import { FunnelsService, MOST_EVENTS } from './funnels.service.js';

/** How far sessions come. */
@ApiTags('statistics')
@Controller('statistics')
export class FunnelsController {
  constructor(private readonly funnels: FunnelsService) {}

  @Post('funnel')
  @HttpCode(200)
  @Allow('read')
  @OnlyParameters()
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
