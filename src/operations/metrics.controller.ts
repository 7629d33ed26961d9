import { Controller, Get, Header, type OnModuleInit } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { Gauge } from 'prom-client';
import { environment } from '../platform/config/environment.js';
import { Allow } from '../auth/access.decorator.js';
import { ApiProblems } from '../platform/http/api-problems.js';
import { AllowedParameters } from '../platform/http/allowed-parameters.decorator.js';
import { BacklogReport } from '../queue/backlog-report.js';
import { Backlog } from '../queue/backlog.js';
import { registry } from '../platform/telemetry/metrics.js';

/** Tells Prometheus what this process has done, and what waits for all of them. */
@ApiTags('operations')
@Controller('metrics')
export class MetricsController implements OnModuleInit {
  constructor(
    private readonly backlog: Backlog,
    private readonly report: BacklogReport,
  ) {}

  /** These are looked up when they are asked for. */
  onModuleInit(): void {
    const { backlog, report } = this;
    const registers = [registry];
    new Gauge({
      name: 'the_eye_backlog_events',
      help: 'Events that wait in Redis or are under way, of all processes together.',
      registers,
      collect() {
        this.set(backlog.items);
      },
    });
    new Gauge({
      name: 'the_eye_backlog_limit_events',
      help: 'Events that may wait; past it new ones are answered 503.',
      registers,
    }).set(environment.BACKLOG_LIMIT);
    new Gauge({
      name: 'the_eye_backlog_oldest_seconds',
      help: 'For how long the oldest job waits that is not done. While Redis is away, what was known last.',
      registers,
      async collect() {
        await report.read().then(
          ({ oldest }) => this.set(oldest === undefined ? 0 : Math.max(Date.now() - oldest, 0) / 1000),
          () => undefined,
        );
      },
    });
  }

  @Get()
  @Allow('read')
  @AllowedParameters()
  @Header('content-type', registry.contentType)
  @ApiOperation({
    summary: 'What this process has done, for Prometheus',
    description:
      'Text format 0.0.4: events accepted, stored, duplicate and refused, the backlog, times of jobs, statements and ' +
      'requests, and the process itself. Each process tells its own; the backlog is that of all.',
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
