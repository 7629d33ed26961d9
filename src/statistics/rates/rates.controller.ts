import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow, VisibleApplication } from '../../auth/access.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { RatesResponse } from './dto/rates.dto.js';
import { RATES_WINDOW_SECONDS } from './pending-deltas.js';
import { RatesService } from './rates.service.js';

/** Events a second, for live charts. */
@ApiTags('statistics')
@Controller('statistics/rates')
export class RatesController {
  constructor(private readonly rates: RatesService) {}

  @Get()
  @Allow('read', 'handler')
  @AllowedParameters()
  @ApiOperation({
    summary: 'Get events a second and the backlog',
    description:
      `The sums of all processes in each of the last ${RATES_WINDOW_SECONDS} full seconds, by the clocks of the processes. A ` +
      'second is included half a second after its end. A key of one application gets the events of that application; the ' +
      'backlog is that of all.',
  })
  @ApiOkResponse({ type: RatesResponse })
  @ApiProblems(400, 503)
  read(@VisibleApplication() visible: string | undefined): Promise<RatesResponse> {
    return this.rates.read(visible);
  }
}
