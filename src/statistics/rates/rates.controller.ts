import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Allow } from '../../auth/access.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { RatesResponse } from './dto/rates.dto.js';
import { SECONDS } from './event-rates.js';
import { RatesService } from './rates.service.js';

/** Gives out what a live plot shows. */
@ApiTags('statistics')
@Controller('statistics/rates')
export class RatesController {
  constructor(private readonly rates: RatesService) {}

  @Get()
  @Allow('read')
  @AllowedParameters()
  @ApiOperation({
    summary: 'Events a second, and the backlog',
    description:
      `Of all processes together, in each of the last ${SECONDS} full seconds, by the clocks of the processes. A second ` +
      'is in half a second after it ended.',
  })
  @ApiOkResponse({ type: RatesResponse })
  @ApiProblems(400, 503)
  read(): Promise<RatesResponse> {
    return this.rates.read();
  }
}
