import { Controller, Get, Header } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Allow } from '../../auth/access.decorator.js';
import { AllowedParameters } from '../../platform/http/allowed-parameters.decorator.js';
import { ApiProblems } from '../../platform/http/api-problems.js';
import { registry } from '../../platform/telemetry/metrics.js';

/** The metrics of this process for Prometheus. */
@ApiTags('operations')
@Controller('metrics')
export class MetricsController {
  @Get()
  @Allow('metrics')
  @AllowedParameters()
  @Header('content-type', registry.contentType)
  @ApiOperation({
    summary: 'Metrics for Prometheus',
    description:
      'Text format 0.0.4: events accepted, stored, duplicate and refused, the backlog, durations of jobs, statements and ' +
      'requests, and the process itself. The values are those of one process, except for the backlog, which all share. ' +
      'They are of all applications, so the key must be for all of them: scope `metrics`, or `read` or `admin` for all applications.',
  })
  @ApiProblems(400)
  @ApiProduces('text/plain')
  @ApiOkResponse({
    schema: { type: 'string', example: 'the_eye_events_accepted_total{role="all"} 12345\n' },
  })
  metrics(): Promise<string> {
    return registry.metrics();
  }
}
